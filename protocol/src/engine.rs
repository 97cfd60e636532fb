//! Engine.IO protocol v4, and on servers [v3]: one session over one or two transports.
//!
//! Bytes become [`Packet`]s ([`payload`] for the body of a long-polling request), packets go through a state machine,
//! [`server::Session`] or its mirror [`client::Session`], and messages come out as events for the layer above
//! ([`crate::socket`]). This module knows nothing of namespaces, events or acks.

pub mod base64;
pub mod client;
mod close;
mod handshake;
pub mod jsonp;
mod packet;
pub mod payload;
mod query;
mod request;
pub mod server;
mod transport;
pub mod v3;
mod version;

pub use close::{CloseReason, ProtocolError};
pub use handshake::{Handshake, HandshakeError};
pub use packet::{Data, Packet, PacketError};
pub use query::Query;
pub use request::RequestError;
pub use transport::{Transport, Upgrades};
pub use version::Version;
