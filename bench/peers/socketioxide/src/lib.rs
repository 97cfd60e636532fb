//! socketioxide as a server under test: `PORT [--workers N]`, with the events of our own `bench/src/bin/server.rs`.
//!
//! As who runs it in production would have it: through axum, without its traces, answers sent at once. Two limits are raised
//! for what is measured: its longest payload to what others take, and how much may wait for one client, since what is beyond
//! that is dropped. Without `--workers` there is one thread and no scheduler between threads: on one core most is quicker so, and
//! events of one client stay in order, which they do not otherwise. Acks by polling, one at a time, took 7 % less CPU with one
//! worker, so these are measured in both forms.

use axum::serve::ListenerExt;
use bytes::Bytes;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use std::error::Error;
use tokio::net::TcpSocket;
use tokio::runtime;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 4096;
/// Bytes of the longest payload: as much as socket.io takes.
const MAX_PAYLOAD: u64 = 1_000_000;
/// How many packets may wait for one client.
const MAX_WAITING: usize = 4096;

/// The program: both forms of it, which differ by their allocators.
///
/// # Errors
/// Wrong arguments, or a port that is taken.
pub fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (port, workers) = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [port] => (port.parse()?, None),
        [port, "--workers", workers] => (port.parse()?, Some(workers.parse()?)),
        _ => return Err("usage: socketioxide-peer PORT [--workers N]".into()),
    };
    let mut builder = runtime::Builder::new_current_thread();
    if let Some(workers) = workers {
        builder = runtime::Builder::new_multi_thread();
        builder.worker_threads(workers);
    }
    builder.enable_all().build()?.block_on(serve(port))
}

async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let (layer, io) = SocketIo::builder().max_payload(MAX_PAYLOAD).max_buffer_size(MAX_WAITING).build_layer();
    io.ns("/", events);
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    let listener = socket.listen(BACKLOG)?;
    println!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, axum::Router::new().layer(layer)).await?;
    Ok(())
}

/// What cannot be sent is missed by the driver, which says so.
async fn events(socket: SocketRef) {
    socket.on("chat", async |socket: SocketRef, Data(text): Data<String>| {
        socket.broadcast().emit("chat", &text).await.ok();
    });
    socket.on("bytes", async |socket: SocketRef, Data(bytes): Data<Bytes>| {
        socket.broadcast().emit("bytes", &bytes).await.ok();
    });
    socket.on("echo", async |Data(text): Data<String>, ack: AckSender| {
        ack.send(&text).ok();
    });
    socket.on("join", async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
        socket.join(room);
        // `()` would be one argument: null.
        ack.send(&[(); 0]).ok();
    });
    socket.on("room", async |socket: SocketRef, Data((room, text)): Data<(String, String)>| {
        socket.to(room).emit("room", &text).await.ok();
    });
}
