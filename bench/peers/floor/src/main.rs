//! The floor: what a server of the measured events costs at least. `PORT`, with the events of our own
//! `bench/src/bin/server.rs`, over WebSocket alone.
//!
//! One epoll, one write for each connection and read, and nothing that a server needs beside: no long-polling, no
//! namespaces, no limits but one, no deadlines of clients. It looks at events by their first bytes and sends on what it
//! was sent. Nobody should run it: it shows how far a real server has yet to go.

mod connection;
mod frame;
mod handshake;
mod packet;
mod server;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: floor-peer PORT")?.parse()?;
    let mut server = server::Server::listen(port)?;
    println!("listening on http://127.0.0.1:{port}");
    loop {
        server.turn()?;
    }
}
