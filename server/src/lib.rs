//! A Socket.IO server for axum.
//!
//! Speaks Engine.IO v4 and Socket.IO v5 over WebSockets and HTTP long-polling to official clients in any language and to
//! `encke-client-wasm`; to that, and to whatever else does it still, also over long-polling by scripts and forms (JSONP), which
//! the official JavaScript clients have given up. [`Server::builder`] takes the handlers, [`Server::router`] goes into an axum
//! application. Messages of Engine.IO without Socket.IO above them are in [`raw`]; clients of Engine.IO v3 and packets of msgpack are
//! served where the builder is told so.
//!
//! `features` compares it with the official server, option by option; `interop` says which clients were tried with what.
//!
//! Which web pages may use it is one policy for all three, a table at [`Origins`]; out of the box those that its own host has
//! delivered. Behind a proxy, let that hand the `Host` header on: by it the server knows its own pages.
//!
//! Inside, arrows point one way: `http -> session -> namespace -> backplane`, on turns and framing; [`raw`] stands where
//! namespaces do. `chat` is an application like any other and sees only what is public here.
//!
#![doc = include_str!("../docs/guide.md")]

mod backplane;
#[cfg(feature = "encke")]
pub mod chat;
mod config;
#[cfg(doc)]
#[doc = include_str!("../docs/features.md")]
pub mod features {}
mod frame;
mod http;
mod id;
#[cfg(doc)]
#[doc = include_str!("../docs/interop.md")]
pub mod interop {}
mod namespace;
pub mod raw;
mod server;
mod session;
mod turn;

pub use backplane::Recovery;
pub use config::{Limits, Origins};
pub use encke_protocol::contract;
pub use encke_protocol::contract::Binary;
pub use encke_protocol::engine::{CloseReason, Transport};
pub use encke_protocol::socket::{DisconnectReason, Parser};
pub use http::{
    Connection, ConnectionError, Cookie, Listener, Remote, SameSite, ServerFuture, ServerLayer, ServerService,
};
#[cfg(feature = "encke")]
#[doc(hidden)]
pub use http::{fetch_site, is_own_origin};
pub use namespace::{
    Ack, AckError, AckFuture, Answer, Answers, Args, Arguments, Auth, Backplane, Broadcast, Emission,
    EmitError, Emitter, Handlers, Handshake, InvalidSocketId, Namespace, Outcome, Pattern, Recipients,
    Refusal, RemoteSocket, Reply, Rooms, ServerAck, ServerAnswers, Socket, SocketId, TypedAck,
};
pub use server::{Server, ServerBuilder};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what no application code runs under: a panic there would be this crate's own, and the state is left whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
