//! Two events on the main namespace: `chat` goes to everybody else, `echo` is acknowledged with its own arguments.
//!
//! `cargo run --example echo [port]`, port 3000 unless given. One thread is enough for both.

use encke_server::{Listener, Origins, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let server = Server::builder()
        .origins(Origins::Any)
        .namespace("/", |on| {
            on.on_named("chat", |socket, args, _ack| {
                socket.broadcast().emit_named("chat", &args);
            });
            on.on_named("echo", |_socket, args, ack| {
                if let Err(error) = ack.send(&args) {
                    eprintln!("not answered: {error}");
                }
            });
        })
        .build();
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(4096)?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}
