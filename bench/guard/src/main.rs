//! `encke-guard SCENARIO`: a piece of the hot path, played often enough to count its instructions.
//!
//! Owns the scenarios. It counts nothing itself: `cargo xtask guard` runs it under callgrind, which collects inside
//! [`counted::counted`] alone, and divides by the operations that this program prints. Must not depend on time, on how many
//! cores there are or on what else the machine does: two runs count the same.

mod client;
mod codec;
mod counted;
mod server;

use std::process::ExitCode;

/// Something whose instructions are counted.
struct Scenario {
    name: &'static str,
    /// What is done again and again, as the words behind "instructions per".
    operation: &'static str,
    /// Plays it, and says how many operations were counted.
    play: fn() -> u64,
}

const fn scenario(name: &'static str, operation: &'static str, play: fn() -> u64) -> Scenario {
    Scenario { name, operation, play }
}

/// By name, each is a line of the baseline.
const SCENARIOS: &[Scenario] = &[
    scenario("codec-payload-decode", "payload of 16 packets", codec::payload_decode),
    scenario("codec-payload-encode", "payload of 16 packets", codec::payload_encode),
    scenario("codec-packet-decode", "event", codec::packet_decode),
    scenario("codec-packet-encode", "event", codec::packet_encode),
    scenario("codec-binary-decode", "event with two attachments", codec::binary_decode),
    scenario("codec-msgpack-decode", "event", codec::msgpack_decode),
    scenario("codec-msgpack-encode", "event", codec::msgpack_encode),
    scenario("broadcast-1000", "delivery", server::broadcast),
    scenario("broadcast-1000-binary", "delivery", server::broadcast_of_bytes),
    scenario("room-of-10", "event to 9 others", server::room),
    scenario("room-of-10-recovery", "event to 9 others", server::room_with_recovery),
    scenario("echo-websocket", "ack", server::echo),
    scenario("echo-websocket-16-at-once", "ack", server::echo_at_once),
    scenario("echo-websocket-16-kib", "ack", server::echo_large),
    scenario("echo-polling", "ack", server::echo_by_polling),
    scenario("echo-polling-axum", "ack", server::echo_by_polling_through_axum),
    scenario("handshake-websocket", "client that comes and goes", server::handshake),
    scenario("handshake-websocket-axum", "client that comes and goes", server::handshake_through_axum),
    scenario("handshake-polling", "client that comes and goes", server::handshake_by_polling),
    scenario(
        "handshake-polling-axum",
        "client that comes and goes",
        server::handshake_by_polling_through_axum,
    ),
    scenario("handshake-upgrade", "client that comes and goes", server::handshake_with_upgrade),
];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (name, more) = (arguments.next(), arguments.next());
    match (name, more) {
        (None, _) => {
            SCENARIOS.iter().for_each(|Scenario { name, operation, .. }| println!("{name} {operation}"));
            ExitCode::SUCCESS
        }
        (Some(name), None) => match SCENARIOS.iter().find(|scenario| scenario.name == name) {
            Some(scenario) => {
                println!("operations {}", (scenario.play)());
                ExitCode::SUCCESS
            }
            None => {
                eprintln!("error: there is no scenario {name}; without arguments they are listed");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: encke-guard [SCENARIO]");
            ExitCode::FAILURE
        }
    }
}
