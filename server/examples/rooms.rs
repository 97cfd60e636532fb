//! Rooms: clients join and leave them, talk to those in them, and ask who is there.
//!
//! `cargo run --example rooms [port]`, port 3000 unless given. From an official client:
//! `await socket.emitWithAck("join", "kitchen")`, `socket.emit("say", "kitchen", "tea?")`, `socket.on("said", …)`.

use encke_server::{Args, Handlers, Listener, Origins, Refusal, Server, Socket};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let server = Server::builder().origins(Origins::Any).namespace("/", talk).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}

fn talk(on: &mut Handlers) {
    on.on_call("join", join);
    on.on_call("leave", leave);
    on.on_call("say", say);
    on.on_call_async("who", who);
}

/// What a handler returns is the ack; an error arrives as `{ error: { message } }`.
fn join(socket: &Socket, args: Args<'_>) -> Result<(), Refusal> {
    let (room,): (String,) = args.decode()?;
    // All in the room but this one, who is not in it yet anyway.
    socket.to(&room).emit_named("joined", &(&room, socket.id().to_string()));
    socket.join(&room);
    Ok(())
}

fn leave(socket: &Socket, args: Args<'_>) -> Result<(), Refusal> {
    let (room,): (String,) = args.decode()?;
    socket.leave(&room);
    Ok(())
}

fn say(socket: &Socket, args: Args<'_>) -> Result<(), Refusal> {
    let (room, text): (String, String) = args.decode()?;
    if !socket.rooms().iter().any(|own| **own == *room) {
        return Err("you are not in that room".into());
    }
    socket.to(&room).emit_named("said", &(room.as_str(), text));
    Ok(())
}

/// Waits: in a cluster the others are on other nodes.
async fn who(socket: Socket, args: Args<'static>) -> Result<(Vec<String>,), Refusal> {
    let (room,): (String,) = args.decode()?;
    let members = socket.namespace().to(&room).fetch_sockets().await;
    // A list is several arguments, so one that is a single argument stands in a tuple.
    Ok((members.iter().map(|member| member.id().to_string()).collect(),))
}
