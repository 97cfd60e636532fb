//! Bytes anywhere in a payload: they travel as they are, beside the JSON, and a JavaScript client sends and gets typed arrays.
//!
//! `cargo run --example binary [port]`, port 3000 unless given. From an official client:
//! `await socket.emitWithAck("put", { title: "cat", pixels: new Uint8Array([1, 2, 3]) })`, `await socket.emitWithAck("get", "cat")`.

use encke_server::contract::{BothWays, Event, Never, NoAck};
use encke_server::{Binary, Handlers, Listener, Origins, Refusal, Server, Socket};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Sent to all others when somebody has put it.
#[derive(Clone, Serialize, Deserialize)]
struct Picture {
    title: String,
    pixels: Binary,
}

impl Event for Picture {
    const NAME: &'static str = "picture";
    type Direction = BothWays;
    type Ack = NoAck;
    type Error = Never;
}

#[derive(Default)]
struct Gallery(Mutex<HashMap<String, Picture>>);

impl Gallery {
    fn put(&self, picture: Picture) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(picture.title.clone(), picture);
    }

    fn find(&self, title: &str) -> Option<Picture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(title).cloned()
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let server =
        Server::builder().origins(Origins::Any).state(Gallery::default()).namespace("/", pictures).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}

fn pictures(on: &mut Handlers) {
    on.on_call("put", |socket, args| {
        let (picture,): (Picture,) = args.decode()?;
        let bytes = picture.pixels.0.len();
        // One frame of bytes for all of them.
        socket.broadcast().emit(&picture);
        socket.state::<Gallery>().put(picture);
        Ok::<_, Refusal>(bytes)
    });
    on.on_call("get", |socket, args| {
        let (title,): (String,) = args.decode()?;
        socket.state::<Gallery>().find(&title).ok_or(Refusal::new("there is no such picture"))
    });
    on.on(rotate);
}

/// A typed event may hold bytes as well.
fn rotate(socket: &Socket, mut picture: Picture) {
    picture.pixels.0.reverse();
    if let Err(error) = socket.emit(&picture) {
        eprintln!("not sent: {error}");
    }
}
