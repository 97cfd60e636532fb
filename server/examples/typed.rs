//! Typed events: one Rust type is an event, with its name, direction, payload, ack and error. What does not fit does not compile.
//!
//! The types may be shared with a Rust client (`encke-client-wasm`). Official clients see plain Socket.IO:
//! `await socket.emitWithAck("order", { dish: "soup", portions: 2 })` is a price, or `{ error: … }`.
//! `cargo run --example typed [port]`, port 3000 unless given.

use encke_server::contract::{Event, Never, NoAck, ToClient, ToServer};
use encke_server::{Handlers, Listener, Origins, Server, Socket};
use serde::{Deserialize, Serialize};

/// A guest orders; the ack is the price.
#[derive(Serialize, Deserialize)]
struct Order {
    dish: String,
    portions: u32,
}

impl Event for Order {
    const NAME: &'static str = "order";
    type Direction = ToServer;
    type Ack = u32;
    type Error = OrderError;
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OrderError {
    NotOnTheMenu,
    TooMany { at_most: u32 },
}

/// All guests see what was ordered.
#[derive(Serialize, Deserialize)]
struct Ordered {
    dish: String,
}

impl Event for Ordered {
    const NAME: &'static str = "ordered";
    type Direction = ToClient;
    type Ack = NoAck;
    type Error = Never;
}

/// A guest is asked whether all is well.
#[derive(Serialize, Deserialize)]
struct Enjoying {}

impl Event for Enjoying {
    const NAME: &'static str = "enjoying?";
    type Direction = ToClient;
    type Ack = bool;
    type Error = Never;
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let server = Server::builder().origins(Origins::Any).namespace("/", kitchen).build();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(Listener::from(listener), server.router()).await
}

fn kitchen(on: &mut Handlers) {
    on.on(order);
}

/// The event is told by the type of the argument; what is returned has to be its ack.
fn order(socket: &Socket, order: Order) -> Result<u32, OrderError> {
    const AT_MOST: u32 = 10;
    let price = match order.dish.as_str() {
        "soup" => 4,
        "stew" => 7,
        _ => return Err(OrderError::NotOnTheMenu),
    };
    if order.portions > AT_MOST {
        return Err(OrderError::TooMany { at_most: AT_MOST });
    }
    socket.broadcast().emit(&Ordered { dish: order.dish });
    let guest = socket.clone();
    tokio::spawn(async move {
        // An answer, a timeout or the guest's leaving: it always ends.
        println!("{} enjoys it: {:?}", guest.id(), guest.emit_with_ack(&Enjoying {}).await);
    });
    Ok(price * order.portions)
}
