//! Who may come in, and who may do what: a token is looked up when a client connects, and every event is checked.
//!
//! `cargo run --example auth [port]`, port 3000 unless given. From an official client:
//! `io("http://localhost:3000", { auth: { token: "sesame" } })`; a refusal arrives as `connect_error` with `message` and `data`.

use encke_server::{Auth, Handlers, Listener, Origins, Refusal, Server, Socket};
use serde::Deserialize;
use std::collections::HashMap;

/// What a client says of itself.
#[derive(Deserialize)]
struct Login {
    token: String,
}

/// What the server knows of it. It stays with the socket.
#[derive(Clone)]
struct User {
    name: &'static str,
    is_admin: bool,
}

/// Stands for a database.
struct Users(HashMap<&'static str, User>);

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let users = Users(HashMap::from([
        ("sesame", User { name: "Ali Baba", is_admin: false }),
        ("the keys", User { name: "the porter", is_admin: true }),
    ]));
    let server = Server::builder().origins(Origins::Any).state(users).namespace("/", guarded).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}

fn guarded(on: &mut Handlers) {
    on.admit_async(admit);
    // Before every event, in order; an error is the event's answer, and no handler runs.
    on.before_event(|socket, name, _args| {
        let user = socket.find::<User>().ok_or("not admitted")?;
        if name == "close the shop" && !user.is_admin {
            return Err("only the porter may");
        }
        Ok(())
    });
    on.on_named("who am I", |socket, _args, ack| {
        let name = socket.find::<User>().map(|user| user.name);
        let _ = ack.send(&name);
    });
    on.on_named("close the shop", |socket, _args, ack| {
        socket.broadcast().emit_named("closed", &());
        let _ = ack.send("good night");
    });
}

/// Nothing is sent to a client, and nothing it sends is handled, before this has let it in.
async fn admit(socket: Socket, auth: Auth<'static>) -> Result<(), Refusal> {
    let login: Login = auth.decode()?;
    let user = find(&socket, &login.token).await;
    // The data is for programs; the message is for people.
    let user = user.ok_or(Refusal::new("nobody is called that").with_data(&"unknown token")?)?;
    println!("{} comes in from {:?}", user.name, socket.handshake().remote_address());
    socket.set(user);
    Ok(())
}

async fn find(socket: &Socket, token: &str) -> Option<User> {
    // As a database would, this waits.
    tokio::task::yield_now().await;
    socket.state::<Users>().0.get(token).cloned()
}
