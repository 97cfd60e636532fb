//! The servers that the test suites of the Socket.IO and Engine.IO protocols ask for: Socket.IO at `/socket.io/` of the port
//! in the first argument, Engine.IO alone at `/engine.io/` of the next. `cargo run --example suite [port]`, port 3000 unless
//! given; port 0 takes two free ones. Times are short, so that nobody waits for long.

use axum::serve::Listener as _;
use encke_server::{Handlers, Limits, Listener, Origins, Server, ServerBuilder};
use std::time::Duration;
use tokio::net::TcpListener;

// One thread: a case sends two requests at once, and counts on their being seen in that order.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let next = if port == 0 { 0 } else { port + 1 };
    let (socket_io, engine_io) = (listen(port).await?, listen(next).await?);
    println!("listening on http://{} and http://{}", socket_io.local_addr()?, engine_io.local_addr()?);
    tokio::try_join!(serve(socket_io, events()), serve(engine_io, messages())).map(drop)
}

async fn listen(port: u16) -> std::io::Result<Listener> {
    TcpListener::bind(("127.0.0.1", port)).await.map(Listener::from)
}

/// One of the two servers.
pub async fn serve(listener: Listener, server: ServerBuilder) -> std::io::Result<()> {
    axum::serve(listener, server.build().router()).await
}

/// What both suites expect.
fn server() -> ServerBuilder {
    Server::builder()
        .ping_interval(Duration::from_millis(300))
        .ping_timeout(Duration::from_millis(200))
        .limits(Limits {
            max_payload: 1_000_000,
            connect_timeout: Duration::from_secs(1),
            ..Limits::default()
        })
        .origins(Origins::Any)
}

/// Engine.IO alone: every message comes back.
pub fn messages() -> ServerBuilder {
    server().raw(|on| {
        on.on_message(|session, message| session.send(message));
    })
}

/// Socket.IO; a client that asks for another namespace hears "Invalid namespace".
pub fn events() -> ServerBuilder {
    server().namespace("/custom", tell_auth).namespace("/", |on| {
        tell_auth(on);
        on.on_named("message", |socket, args, _ack| told(socket.emit_named("message-back", &args)));
        on.on_named("message-with-ack", |_socket, args, ack| told(ack.send(&args)));
    })
}

/// A client hears first what it has said of itself.
fn tell_auth(on: &mut Handlers) {
    on.on_connect(|socket| {
        let auth = socket.auth().decode::<serde_json::Value>();
        told(auth.and_then(|auth| socket.emit_named("auth", &(auth,))));
    });
}

fn told(result: Result<(), serde_json::Error>) {
    if let Err(error) = result {
        eprintln!("not sent: {error}");
    }
}
