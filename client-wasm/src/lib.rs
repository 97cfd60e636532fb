#![doc = include_str!("guide.md")]
//!
//! # Inside
//! `client` and `socket` are what applications hold; `driver` feeds the client core of `encke-protocol` and does what it orders, by
//! `connection` and its `transport`s; `memory` keeps what it has found out; `listeners` and `waiter` keep what applications want to be told. All decisions are the
//! core's: nothing in here knows the protocol.

mod alarm;
mod args;
mod builder;
mod client;
mod clock;
mod connection;
mod driver;
mod error;
mod js;
mod listeners;
mod memory;
mod page;
mod reply;
mod shared;
mod socket;
mod transport;
mod waiter;

pub use args::{Args, Arguments};
pub use builder::Builder;
pub use client::Client;
pub use encke_protocol::client::{Backoff, NotSent, PassedOver, State, Transport, WaitReason, Why};
pub use encke_protocol::contract;
pub use encke_protocol::engine::CloseReason;
pub use encke_protocol::json;
pub use encke_protocol::socket::{ArgsBuilder, DisconnectReason};
pub use error::{AckError, Problem, Refusal};
pub use listeners::Guard;
pub use reply::{Ack, Reply};
pub use socket::Socket;
pub use waiter::AckFuture;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
