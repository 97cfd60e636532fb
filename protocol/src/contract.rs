//! Typed events: one Rust type is an event, its name, direction, payload, ack and error, for both sides.
//!
//! The type that implements [`Event`] is the payload itself. Server and client take only events of the direction that
//! they may send or hear, so an event sent the wrong way round, or answered with another type, does not compile.
//!
//! ```
//! use encke_protocol::contract::{Event, ToServer};
//! use serde::{Deserialize, Serialize};
//!
//! /// A client asks for the sum of two numbers.
//! #[derive(Serialize, Deserialize)]
//! struct Add {
//!     a: u32,
//!     b: u32,
//! }
//!
//! impl Event for Add {
//!     const NAME: &'static str = "add";
//!     type Direction = ToServer;
//!     type Ack = u32;
//!     type Error = String;
//! }
//! ```
//!
//! # On the wire
//! The event has one argument, the payload. Its ack has one argument: the answer, or `{"error": …}` with the error, so
//! that a JavaScript client tells them apart by one look. An answer must therefore not be an object with `error` as its only key.
//! [`Binary`] anywhere in a payload travels as an attachment, where the server writes or reads it.

pub mod binary;

pub use binary::Binary;

use crate::json;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An event: its payload, and all that both sides must agree on.
pub trait Event: Serialize + DeserializeOwned + 'static {
    /// The name on the wire.
    const NAME: &'static str;
    /// Who sends it: [`ToServer`], [`ToClient`] or [`BothWays`].
    type Direction: Direction;
    /// What it is answered with; [`NoAck`] when it is not answered.
    type Ack: MaybeAck;
    /// What it is answered with when it is refused; [`Never`] when it never is.
    type Error: Serialize + DeserializeOwned + 'static;
}

/// Sent by clients, heard by the server.
#[derive(Clone, Copy, Debug)]
pub enum ToServer {}
/// Sent by the server, heard by clients.
#[derive(Clone, Copy, Debug)]
pub enum ToClient {}
/// Sent and heard by both.
#[derive(Clone, Copy, Debug)]
pub enum BothWays {}

/// Who sends an event.
pub trait Direction: sealed::Sealed {}
/// A direction in which the server hears.
pub trait HeardByServer: Direction {}
/// A direction in which clients hear.
pub trait HeardByClient: Direction {}

impl Direction for ToServer {}
impl Direction for ToClient {}
impl Direction for BothWays {}
impl HeardByServer for ToServer {}
impl HeardByServer for BothWays {}
impl HeardByClient for ToClient {}
impl HeardByClient for BothWays {}

/// What an event is answered with: a payload. All but [`NoAck`], so that nobody waits for an answer that never comes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no ack that can be sent or waited for",
    note = "an event with the ack `NoAck` is emitted without waiting, and handled without answering"
)]
pub trait Ack: Serialize + DeserializeOwned + 'static {}

impl<T: Serialize + DeserializeOwned + 'static> Ack for T {}

/// An [`Ack`], or [`NoAck`].
pub trait MaybeAck: sealed::MaybeAck + 'static {}

impl<T: Ack> MaybeAck for T {}
impl MaybeAck for NoAck {}

mod sealed {
    pub trait MaybeAck {}
    impl<T: super::Ack> MaybeAck for T {}
    impl MaybeAck for super::NoAck {}

    pub trait Sealed {}
    impl Sealed for super::ToServer {}
    impl Sealed for super::ToClient {}
    impl Sealed for super::BothWays {}
}

/// The ack of an event that has none: such an event cannot be emitted with an ack, nor be answered. It is no [`Ack`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAck {}

/// The error of an event that is never refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum Never {}

/// The error inside an ack's argument, as JSON text: `Some` when `argument` is an object with `error` as its only key.
pub fn error_in(argument: &str) -> Option<&str> {
    json::only_field(argument, "error")
}
