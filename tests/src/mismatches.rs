//! What the typed contract forbids does not compile: each example here differs in one point from the one that compiles.
//!
//! ```no_run
//! use encke_protocol::chat::{Posted, Refused, Said, Say};
//!
//! fn server(on: &mut encke_server::Handlers, socket: &encke_server::Socket, posted: &Posted) {
//!     on.on(|_, _: Say| Ok::<Said, Refused>(Said { id: 1, at: 1 }));
//!     let _ = socket.emit(posted);
//! }
//!
//! fn client(socket: &encke_client_wasm::Socket, say: &Say) {
//!     let _ = socket.on(|_: Posted| ());
//!     let _ = socket.emit(say);
//! }
//! ```
//!
//! A client cannot emit what the server emits:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::Posted;
//! fn client(socket: &encke_client_wasm::Socket, posted: &Posted) {
//!     let _ = socket.emit(posted);
//! }
//! ```
//!
//! A client cannot hear what clients emit:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::Say;
//! fn client(socket: &encke_client_wasm::Socket) {
//!     let _ = socket.on(|_: Say| ());
//! }
//! ```
//!
//! A server cannot emit what clients emit:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::Say;
//! fn server(socket: &encke_server::Socket, say: &Say) {
//!     let _ = socket.emit(say);
//! }
//! ```
//!
//! A server cannot hear what it emits itself:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::Posted;
//! fn server(on: &mut encke_server::Handlers) {
//!     on.on(|_, _: Posted| ());
//! }
//! ```
//!
//! An answer is of the event's type:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::{Refused, Say};
//! fn server(on: &mut encke_server::Handlers) {
//!     on.on(|_, _: Say| Ok::<u32, Refused>(1));
//! }
//! ```
//!
//! So is an error:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::{Said, Say};
//! fn server(on: &mut encke_server::Handlers) {
//!     on.on(|_, _: Say| Err::<Said, String>("no".to_owned()));
//! }
//! ```
//!
//! An event that wants an answer gets one:
//! ```compile_fail,E0277
//! # use encke_protocol::chat::Say;
//! fn server(on: &mut encke_server::Handlers) {
//!     on.on(|_, _: Say| ());
//! }
//! ```
//!
//! An event without an ack can be emitted:
//! ```no_run
//! # use encke_protocol::contract::{Event, Never, NoAck, ToServer};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Tick {}
//! # impl Event for Tick {
//! #     const NAME: &'static str = "tick";
//! #     type Direction = ToServer;
//! #     type Ack = NoAck;
//! #     type Error = Never;
//! # }
//! fn client(socket: &encke_client_wasm::Socket) {
//!     let _ = socket.emit(&Tick {});
//! }
//! ```
//!
//! But nobody can wait for its ack:
//! ```compile_fail,E0277
//! # use encke_protocol::contract::{Event, Never, NoAck, ToServer};
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Tick {}
//! # impl Event for Tick {
//! #     const NAME: &'static str = "tick";
//! #     type Direction = ToServer;
//! #     type Ack = NoAck;
//! #     type Error = Never;
//! # }
//! fn client(socket: &encke_client_wasm::Socket) {
//!     let _ = socket.emit_with_ack(&Tick {});
//! }
//! ```
