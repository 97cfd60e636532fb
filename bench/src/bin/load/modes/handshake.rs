//! `handshake`: connect, join the namespace, leave, again and again.
//!
//! A WebSocket is a new connection each time. Whoever polls keeps the connection for its polls and posts from visit to visit, as
//! browsers do: what the server does to take a connection is no part of it.

use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::crowd::{ClientId, Crowd, Transport, Work};
use crate::measure::{Mark, Stretch, Window, head, tail};
use crate::options::{Length, Server};
use crate::report::Report;
use anyhow::Result;

/// Who takes longer has failed.
const STUCK: Nanos = 5 * SECOND;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Way,
    #[command(flatten)]
    length: Length,
}

/// How clients connect.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Way {
    /// Over a new connection each time.
    Websocket,
    /// Over a connection that is kept from visit to visit.
    Polling,
    /// By polling over such a connection, then upgraded to a WebSocket, with one event acknowledged over it.
    Upgrade,
}

impl Way {
    fn transport(self) -> (Transport, &'static str) {
        match self {
            Self::Websocket => (Transport::WebSocket, "websocket"),
            Self::Polling => (Transport::Polling, "polling"),
            Self::Upgrade => (Transport::Upgrade, "upgrade"),
        }
    }
}

/// Who has joined leaves.
struct Visits;

impl Work for Visits {
    fn joined(&mut self, crowd: &mut Crowd, who: ClientId) {
        crowd.leave(who);
    }
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, length } = options;
    let (transport, name) = transport.transport();
    server.prepare(server.conc, server.conc * 2)?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport, server.conc))?;
    crowd.come_again(true);
    let window = Window::from_now(*length);
    until(&mut crowd, window.begin);
    let begin = Mark::now(&crowd, server, crowd.tally.cycles);
    crowd.tally.connecting.reset();
    until(&mut crowd, window.end);
    let stretch = Stretch(begin, Mark::now(&crowd, server, crowd.tally.cycles));
    let mut report = head("handshake", server, name, server.conc);
    stretch.rate(&mut report, "cycles");
    report.times("connect", &crowd.tally.connecting);
    stretch.cpu(&mut report, "cycles");
    stretch.traffic(&mut report);
    if stretch.operations() == 0 {
        report.fault("nobody came and went".to_owned());
    }
    tail(&mut report, &crowd);
    Ok(report)
}

fn until(crowd: &mut Crowd, end: Nanos) {
    let mut looked = now();
    loop {
        let time = now();
        if time >= end {
            return;
        }
        if time - looked > SECOND {
            looked = time;
            crowd.give_up_stuck(STUCK);
        }
        crowd.start_waiting();
        crowd.turn(&mut Visits, (time + 20 * MILLISECOND).min(end));
    }
}
