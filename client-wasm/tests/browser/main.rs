//! The client in a real browser against a real server: `cargo xtask test` starts both.
//!
//! Nothing sleeps: what is to come is awaited, and only the test runner's time limit ends a wait for what does not come.

#![cfg(target_arch = "wasm32")]

mod beacon;
mod clock;
mod connection;
mod events;
mod jsonp;
mod memory;
mod stub;
mod support;

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
