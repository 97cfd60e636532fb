//! What is said on the wire between an Encke server and its clients, and who may say what when.
//!
//! The crate speaks [Engine.IO protocol v4](engine) and [Socket.IO protocol v5](socket), for servers also the versions
//! before them and msgpack. It holds types, codecs and state
//! machines, and it is shared by the server and the clients, so both ends agree by construction.
//!
//! It owns no socket, clock, task, lock or random number: time ([`Timestamp`]) and chance are arguments. The state machines
//! decide, their drivers only carry. Every decoder is total (no bytes make it panic) and bounded (no bytes make it
//! allocate more than its limits say).
//!
//! ```
//! use encke_protocol::engine::{Data, Packet};
//!
//! let packet = Packet::decode(Data::Text("2probe"))?;
//! assert_eq!(packet, Packet::Ping("probe"));
//! # Ok::<(), encke_protocol::engine::PacketError>(())
//! ```

pub mod chat;
pub mod client;
pub mod contract;
mod cut;
pub mod engine;
pub mod json;
pub mod list;
pub mod queue;
pub mod socket;
mod time;

pub use cut::cut;
pub use time::Timestamp;
