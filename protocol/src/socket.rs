//! Socket.IO protocol v5, and on servers v4: namespaces, events and acks on top of one Engine.IO session.
//!
//! A message of the session becomes a [`Packet`]; packets go through a state machine, [`server::Namespaces`] or its mirror
//! [`client::Namespaces`], which knows what is joined and puts binary attachments back to their packet. Arguments stay JSON
//! text ([`Args`]), also where msgpack is spoken ([`msgpack`]): whoever needs a value decodes it. This module knows nothing of transports, rooms or handlers.

mod ack;
mod args;
mod assembly;
pub mod client;
mod dialect;
mod event;
mod limits;
pub mod msgpack;
mod namespace;
mod packet;
mod reason;
mod recovery;
pub mod server;

pub use ack::{AckId, Acks};
pub use args::{Args, ArgsBuilder};
pub use dialect::{Dialect, Parser, Revision};
pub use event::Incoming;
pub use limits::Limits;
pub use namespace::{NamespaceError, check_namespace};
pub use packet::{Packet, PacketError};
pub use reason::DisconnectReason;
pub use recovery::{Comeback, Offset, Since};
