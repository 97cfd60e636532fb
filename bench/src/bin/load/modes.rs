//! What can be measured: one module for each, with its options, what its clients do, and its rows.

pub(crate) mod chat;
pub(crate) mod echo;
pub(crate) mod fanout;
pub(crate) mod handshake;
pub(crate) mod idle;
mod publishing;
pub(crate) mod rooms;
