//! The protocol from outside: wire examples, properties, conversations with the state machines, and a simulation.

mod client_session;
mod conversation;
mod jsonp;
mod namespaces;
#[cfg(not(target_arch = "wasm32"))]
mod properties;
mod server_session;
mod simulation;
mod wire;
