//! `echo`: every client keeps some events in flight that the server acknowledges with their own text. Acks of a
//! client come in the order of its events: where handlers do not wait, nothing has reason to change it.

use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::crowd::{ClientId, Crowd, Work};
use crate::measure::{Delays, Mark, Stretch, Window, head, tail};
use crate::options::{Lasting, Length, Server, payload};
use crate::report::Report;
use crate::text::{DIGITS, Incoming, append, put};
use anyhow::Result;

/// Acks have so long to come at the end.
const DRAIN: Nanos = 5 * SECOND;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Clients.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    n: u32,
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Lasting,
    /// Events in flight of each client.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    inflight: u32,
    /// Bytes of the text, from 16 to 262,144.
    #[arg(long, default_value = "64", value_parser = payload)]
    payload: usize,
    #[command(flatten)]
    length: Length,
}

/// An event that waits for its ack.
#[derive(Clone, Copy, Default)]
struct Flight {
    id: u32,
    /// How many events its client had sent before.
    turn: u32,
    sent: Nanos,
}

struct Echo {
    inflight: u32,
    /// Of each client as many as may be in flight. An id is its place here and a multiple of that number.
    flights: Vec<Flight>,
    /// Of each client, how many events it has sent, and the turn of the one whose ack is next.
    turns: Vec<(u32, u32)>,
    out_of_order: i64,
    packet: Vec<u8>,
    /// The text and what ends the packet.
    text: Vec<u8>,
    expected: Incoming,
    delays: Delays,
    sent: i64,
    acks: u64,
    stopped: bool,
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, inflight, payload, length, .. } = options;
    let n = options.n as usize;
    server.prepare(n, n * transport.connections())?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport.transport(), n))?;
    let mut echo = Echo::new(n, *inflight, *payload);
    crowd.connect_all(&mut echo)?;
    crowd.serve(&mut echo, now() + 300 * MILLISECOND);
    echo.start(&mut crowd);
    let window = Window::from_now(*length);
    echo.delays.of(window);
    crowd.serve(&mut echo, window.begin);
    let begin = Mark::now(&crowd, server, echo.acks);
    crowd.serve(&mut echo, window.end);
    let end = Mark::now(&crowd, server, echo.acks);
    echo.stopped = true;
    let patience = now() + DRAIN;
    while echo.missing() > 0 && now() < patience {
        crowd.turn(&mut echo, now() + 50 * MILLISECOND);
    }
    let stretch = Stretch(begin, end);
    let mut report = head("echo", server, transport.name(), n);
    report.count("inflight", *inflight, "per client");
    report.count("payload", *payload, "B");
    stretch.rate(&mut report, "acks");
    report.times("latency", echo.delays.times());
    stretch.cpu(&mut report, "acks");
    stretch.traffic(&mut report);
    report.none("lost", echo.missing(), "acks");
    report.none("out_of_order", echo.out_of_order, "acks");
    tail(&mut report, &crowd);
    Ok(report)
}

impl Echo {
    fn new(n: usize, inflight: u32, payload: usize) -> Self {
        Self {
            inflight,
            flights: vec![Flight::default(); n * inflight as usize],
            turns: vec![(0, 0); n],
            out_of_order: 0,
            packet: Vec::new(),
            text: [&vec![b'x'; payload][..], b"\"]"].concat(),
            expected: Incoming::new("[\"", payload),
            delays: Delays::new(),
            sent: 0,
            acks: 0,
            stopped: false,
        }
    }

    /// Puts the first events of everybody on the way.
    fn start(&mut self, crowd: &mut Crowd) {
        for who in crowd.everybody() {
            for id in 0..self.inflight {
                self.send(crowd, who, id, now());
            }
            crowd.post(who);
            crowd.net.write();
        }
    }

    fn send(&mut self, crowd: &mut Crowd, who: ClientId, id: u32, now: Nanos) {
        self.sent += 1;
        let sent = &mut self.turns[who.index()].0;
        let turn = *sent;
        *sent += 1;
        *self.flight(who, id) = Flight { id, turn, sent: now };
        put(&mut self.text[..DIGITS], id);
        self.packet.clear();
        self.packet.extend_from_slice(b"42");
        append(&mut self.packet, id);
        self.packet.extend_from_slice(br#"["echo",""#);
        self.packet.extend_from_slice(&self.text);
        crowd.send(who, &self.packet);
    }

    fn flight(&mut self, who: ClientId, id: u32) -> &mut Flight {
        &mut self.flights[who.index() * self.inflight as usize + (id % self.inflight) as usize]
    }

    fn missing(&self) -> i64 {
        self.sent - self.acks.cast_signed()
    }
}

impl Work for Echo {
    fn ack(&mut self, crowd: &mut Crowd, who: ClientId, id: u32, array: &[u8], now: Nanos) {
        let flight = *self.flight(who, id);
        if flight.id != id || self.expected.number(array) != Some(id) {
            return crowd.unexpected(who, "an ack", array);
        }
        self.acks += 1;
        let next = &mut self.turns[who.index()].1;
        self.out_of_order += i64::from(flight.turn != *next);
        *next = flight.turn + 1;
        self.delays.record(flight.sent, now);
        if !self.stopped {
            self.send(crowd, who, id.wrapping_add(self.inflight), now);
        }
    }
}
