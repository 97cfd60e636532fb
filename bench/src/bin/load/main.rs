//! `encke-load`: the load that servers are measured under: many Socket.IO clients in one thread, so that it is the server and
//! not they that limit. Linux only, `http://` to an IPv4 address only.
//!
//! A server under test answers the events of the table in [`../server.rs`](../server.rs), in the namespace `/`, with the default
//! heartbeat, without authentication and compression, and takes messages of 1 MB.
//!
//! [`crowd`] owns the clients, over [`net`] with [`http`] and [`frame`]; what they do stands in [`modes`], one module for each
//! mode; [`measure`] and [`machine`] say what it cost, and [`report`] prints it.

mod bytes;
mod clock;
mod crowd;
mod frame;
mod http;
mod ledger;
mod machine;
mod measure;
mod modes;
mod net;
mod options;
mod report;
mod text;

use clap::{Parser, Subcommand};
use modes::{chat, echo, fanout, handshake, idle, rooms};
use std::process::ExitCode;

/// Puts Socket.IO servers under load, and says what it cost them.
#[derive(Parser)]
#[command(version, after_long_help = READING)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// Holds idle clients: memory of each, and how fast they come.
    Idle(idle::Options),
    /// One client publishes, all others get it.
    Fanout(fanout::Options),
    /// Clients join rooms; one of each room publishes into it.
    Rooms(rooms::Options),
    /// People read what is said in our chat, by one of three techniques.
    Chat(chat::Options),
    /// Every client keeps events in flight that are acknowledged.
    Echo(echo::Options),
    /// Clients connect, join the namespace and leave, again and again.
    Handshake(handshake::Options),
}

const READING: &str = "\
A server under test answers these events in the namespace `/`, with the default heartbeat, without authentication and
compression, and takes messages of 1 MB:
  chat   \"chat\", text               it sends it to everybody else                            (fanout)
  bytes  \"bytes\", bytes             it sends it to everybody else                            (fanout --binary)
  echo   \"echo\", text, with an ack  it acknowledges it with the same                         (echo, handshake by upgrade)
  join   \"join\", room, with an ack  it lets it into the room, and acknowledges with nothing  (rooms)
  room   \"room\", room, text         it sends \"room\", text to everybody else in the room     (rooms)

Reading the output:
  gen_cpu_pct         CPU of this program, in percent of a core: near 100 it is the limit, and the rate a lower bound.
  other_cpu_pct       CPU used by others meanwhile, and steal_pct what the hypervisor took: repeat a run with more than a few.
  server_cpu_pct      Below 100 with --saturate the server idles while this program reads; a larger --window keeps it busy.
                      The CPU seconds per million say more about such a server than the rate.
  server_cpu_s_per_m  From /proc of the server and its descendants; user and sys in steps of 10 ms. What TCP does on loopback
                      for both ends runs in the sender's time; it is the same for all servers.
  reads_per_op        Reads of this program per delivery or ack: below 1 the server joins messages.
  bytes_…_per_op      What this program reads and writes, with HTTP and frame headers, without those of TCP and IP.
  latency_…           Microseconds, in fan-out from the time when the message was due; three significant digits.
  kernel_per_conn     MemAvailable less both processes: the sockets of both ends, since all is on one machine.

A fault is what must not be where a server does what it should: lost, reordered or doubled messages, clients that were dropped,
answers nobody asked for. The exit status is then 1. With --json it is 0 and the fields `sound` and `faults` say it. What
cannot be measured at all, since clients do not connect, is an error in both.";

fn main() -> ExitCode {
    let mode = Arguments::parse().mode;
    let (measured, server) = match &mode {
        Mode::Idle(options) => (idle::measure(options), &options.server),
        Mode::Fanout(options) => (fanout::measure(options), &options.server),
        Mode::Rooms(options) => (rooms::measure(options), &options.server),
        Mode::Chat(options) => (chat::measure(options), &options.server),
        Mode::Echo(options) => (echo::measure(options), &options.server),
        Mode::Handshake(options) => (handshake::measure(options), &options.server),
    };
    match measured {
        Ok(report) if server.json => {
            println!("{}", report.json());
            ExitCode::SUCCESS
        }
        Ok(report) => {
            print!("{report}");
            if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("encke-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }
}
