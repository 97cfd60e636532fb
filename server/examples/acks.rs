//! Acks both ways: clients are answered, a client is asked, and all are asked at once. Every wait ends.
//!
//! `cargo run --example acks [port]`, port 3000 unless given. From an official client:
//! `await socket.emitWithAck("divide", 6, 3)`, `socket.on("vote", (question, answer) => answer("yes"))`,
//! `await socket.emitWithAck("ask everybody", "Tea?")`.

use encke_server::{Args, Handlers, Listener, Origins, Refusal, Server, Socket};
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let server = Server::builder().origins(Origins::Any).namespace("/", questions).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}

fn questions(on: &mut Handlers) {
    // What a handler returns is the ack; an error arrives as `{ error: { message } }`.
    on.on_call("divide", |_socket, args| {
        let (a, b): (u32, u32) = args.decode()?;
        a.checked_div(b).ok_or(Refusal::new("by zero"))
    });
    // An ack may also be kept and sent when the time has come. Dropped it answers without arguments.
    on.on_named("later", |_socket, _args, ack| {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            ack.send("it is later now")
        });
    });
    // This waits for clients, so later events of the one who asks do not wait for it.
    on.on_named_unordered("ask everybody", |socket, args, ack| async move {
        let sent = match vote(&socket, &args).await {
            Ok(votes) => ack.send(&votes),
            Err(refusal) => ack.send(&refusal),
        };
        if let Err(error) = sent {
            eprintln!("not answered: {error}");
        }
    });
    on.on_connect_async(greet);
}

/// Asks one client. Its events wait until this is over, its answers do not.
async fn greet(socket: Socket) {
    let answer = socket.timeout(Duration::from_secs(1)).emit_named_with_ack("name?", &()).await;
    match answer.map(|answer| answer.decode::<(String,)>()) {
        Ok(Ok((name,))) => println!("{} is {name}", socket.id()),
        Ok(Err(error)) => println!("{} has no proper name: {error}", socket.id()),
        Err(error) => println!("{}: {error}", socket.id()),
    }
}

/// Asks all others, and counts what they say; whoever is silent or leaves is counted too.
async fn vote(socket: &Socket, question: &Args<'_>) -> Result<BTreeMap<String, u32>, Refusal> {
    let others = socket.broadcast().timeout(Duration::from_secs(1));
    let mut answers = others.emit_named_with_ack("vote", question)?;
    let mut votes = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        let vote = answer.result.ok().and_then(|args| args.decode::<(String,)>().ok());
        *votes.entry(vote.map_or("silent".to_owned(), |(vote,)| vote)).or_default() += 1;
    }
    Ok(votes)
}
