//! The client core, driven as a driver would, in virtual time.

#[cfg(target_arch = "wasm32")]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

mod acks;
mod chance;
mod fallback;
mod reconnecting;
mod sending;
mod sockets;
mod talk;
mod transports;
