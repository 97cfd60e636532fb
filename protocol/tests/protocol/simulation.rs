//! Client and server joined by a network in virtual time, many times over, each time with another seed.
//!
//! `ENCKE_SEED=n` runs one seed again; `ENCKE_SEEDS=n` runs the first n.

mod client;
mod core_client;
mod network;
mod prng;
mod server;
mod traffic;
mod weather;
mod world;

use world::ClientKind;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Runs of a normal test run: a few seconds without optimisation. In wasm the seeds are the same but fewer; a failure there
/// does not tell its seed, so look for it natively.
const SEEDS: u64 = if cfg!(target_arch = "wasm32") { 300 } else { 2_000 };

#[test]
fn sessions_lose_nothing_double_nothing_stall_nowhere_and_end() {
    run(ClientKind::Bare);
}

#[test]
fn the_client_core_loses_nothing_doubles_nothing_stalls_nowhere_and_ends() {
    run(ClientKind::Core);
}

fn run(kind: ClientKind) {
    let variable = |name| std::env::var(name).ok().map(|value| value.parse().expect("a number"));
    match variable("ENCKE_SEED") {
        Some(seed) => world::run(kind, seed),
        None => (0..variable("ENCKE_SEEDS").unwrap_or(SEEDS)).for_each(|seed| world::run(kind, seed)),
    }
}
