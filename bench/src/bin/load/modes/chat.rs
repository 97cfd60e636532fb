//! `chat`: people read what is said in our chat (`encke serve`), each by the same of three techniques; a few write over
//! WebSockets.
//!
//! | technique | a reader |
//! |---|---|
//! | `periodic` | asks for `/plain/messages` every so many seconds, over a connection that is kept, and finds what is new in the page; they ask spread evenly over that time |
//! | `polling` | takes part by Engine.IO long-polling, as the official client does it |
//! | `websocket` | takes part over a WebSocket |
//!
//! Requests of all have the headers of a browser ([`OF_BROWSERS`]), since they are part of what polling costs. The chat must be
//! a new one: before it is measured, as many messages are said as its history holds, so that the page is as long as it is.
//!
//! What counts is one delivery: one message read by one reader. Beside the rows of other modes there are:
//!
//! | key | meaning |
//! |---|---|
//! | `technique`, `every_s`, `readers`, `writers` | what was run; `every_s` only with `periodic` |
//! | `messages_per_s`, `history`, `payload` | messages said per second by all writers, before it was measured, and bytes of a text |
//! | `deliveries_per_s`, `latency_p50` … `latency_max` | from the time when a message was due to be sent until it was read, in microseconds |
//! | `server_cpu_s_per_m_deliveries` | so also microseconds of CPU per delivery |
//! | `requests_per_op`, `requests_per_s` | HTTP requests of readers and writers, per delivery and per second |
//! | `bytes_per_op`, `bytes_per_s` | read and written by this program, with HTTP and frame headers |
//! | `wire_bytes_per_op`, `wire_packets_per_op` | over loopback, with the headers of TCP and IP, and packets that only confirm; of all programs on the machine |
//! | `late_asks` | how often a page was to be asked for while the last one had not come |
//! | `unconfirmed` | messages that the chat has not acknowledged: a fault |

mod page;
mod talk;

use super::publishing::rate;
use crate::clock::{MILLISECOND, Nanos, SECOND, now, seconds};
use crate::crowd::{ClientId, Crowd, Transport};
use crate::http::OF_BROWSERS;
use crate::machine::Loopback;
use crate::measure::{Mark, Stretch, Window, head, tail};
use crate::options::{Length, Server, payload};
use crate::report::Report;
use anyhow::Result;
use std::iter::repeat_n;
use talk::Talk;

/// Where the chat without scripts shows its messages.
const PAGE: &str = "/plain/messages";
/// What is on the way at the end has so long to arrive, and longer by the time between two looks at the page.
const DRAIN: Nanos = 2 * SECOND;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    /// How readers get to know what is said.
    #[arg(long, value_enum)]
    technique: Technique,
    /// People who read.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    readers: u32,
    /// People who write in turn, over WebSockets.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    writers: u32,
    /// Messages said per second, by all writers together.
    #[arg(long, default_value_t = 1.0, value_parser = rate)]
    rate: f64,
    /// Seconds between two looks at the page, with `periodic`.
    #[arg(long, default_value_t = 5.0, value_parser = rate)]
    every: f64,
    /// Bytes of a message, from 16 to 4,000.
    #[arg(long, default_value = "64", value_parser = text)]
    payload: usize,
    /// Messages said before it is measured.
    #[arg(long, default_value_t = 200)]
    history: u32,
    #[command(flatten)]
    length: Length,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Technique {
    Periodic,
    Polling,
    Websocket,
}

fn text(argument: &str) -> Result<usize, String> {
    payload(argument)
        .ok()
        .filter(|bytes| *bytes <= 4_000)
        .ok_or_else(|| "it is a number from 16 to 4,000".to_owned())
}

impl Technique {
    fn transport(self) -> (Transport, &'static str) {
        match self {
            Self::Periodic => (Transport::Page, "periodic"),
            Self::Polling => (Transport::Polling, "polling"),
            Self::Websocket => (Transport::WebSocket, "websocket"),
        }
    }
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let (transport, technique) = options.technique.transport();
    let (server, people) = (&options.server, (options.readers + options.writers) as usize);
    server.prepare(people, people * 2)?;
    let transports = repeat_n(Transport::WebSocket, options.writers as usize)
        .chain(repeat_n(transport, options.readers as usize));
    let mut crowd = Crowd::new(server, transports)?;
    crowd.browse(PAGE, OF_BROWSERS);
    let mut talk = Talk::new(options.writers, options.readers, options.payload);
    crowd.connect_all(&mut talk)?;
    talk.fill_history(&mut crowd, options.history)?;

    let mut length = options.length;
    if options.technique == Technique::Periodic {
        // Everybody has looked once.
        length.warmup = length.warmup.max(options.every);
    }
    let window = Window::from_now(length);
    talk.ledger.delays.of(window);
    let mut course = Course::new(options);
    course.until(&mut crowd, &mut talk, window.begin);
    let begin = (Mark::now(&crowd, server, talk.ledger.delivered()), Loopback::now());
    course.until(&mut crowd, &mut talk, window.end);
    let end = (Mark::now(&crowd, server, talk.ledger.delivered()), Loopback::now());
    course.drain(&mut crowd, &mut talk);

    let mut report = head("chat", server, technique, people);
    options.rows(&mut report);
    rows(&mut report, &talk, &Stretch(begin.0, end.0), [begin.1, end.1]);
    report.count("late_asks", course.late, "");
    tail(&mut report, &crowd);
    Ok(report)
}

impl Options {
    fn rows(&self, report: &mut Report) {
        report.text("technique", self.technique.transport().1);
        if self.technique == Technique::Periodic {
            report.figure("every_s", self.every, "s");
        }
        report.count("readers", self.readers, "");
        report.count("writers", self.writers, "");
        report.figure("messages_per_s", self.rate, "1/s");
        report.count("history", self.history, "");
        report.count("payload", self.payload, "B");
    }
}

fn rows(report: &mut Report, talk: &Talk, stretch: &Stretch, wire: [Loopback; 2]) {
    let traffic = stretch.1.traffic - stretch.0.traffic;
    let bytes = (traffic.read_bytes + traffic.written_bytes) as f64;
    let (wire_bytes, wire_packets) = (wire[1].bytes - wire[0].bytes, wire[1].packets - wire[0].packets);
    stretch.rate(report, "deliveries");
    report.times("latency", talk.ledger.delays.times());
    stretch.cpu(report, "deliveries");
    stretch.traffic(report);
    report.figure("requests_per_s", traffic.requests as f64 / stretch.seconds(), "1/s");
    stretch.by_operation(report, "bytes_per_op", bytes, "B");
    report.figure("bytes_per_s", bytes / stretch.seconds(), "B");
    stretch.by_operation(report, "wire_bytes_per_op", wire_bytes as f64, "B");
    stretch.by_operation(report, "wire_packets_per_op", wire_packets as f64, "");
    report.count("published", talk.ledger.sent(), "");
    report.none("lost", talk.ledger.missing(), "deliveries");
    report.none("out_of_order", talk.out_of_order, "");
    report.none("unconfirmed", talk.unconfirmed(), "messages");
}

/// When is written, and when is asked for pages.
struct Course {
    start: Nanos,
    /// Between two messages.
    write: f64,
    /// Between two pages of any readers; none where nobody asks.
    ask: Option<f64>,
    writers: u32,
    readers: u32,
    written: u64,
    asked: u64,
    late: u64,
}

impl Course {
    fn new(options: &Options) -> Self {
        let second = SECOND as f64;
        let ask = options.every * second / f64::from(options.readers);
        Self {
            start: now(),
            write: second / options.rate,
            ask: (options.technique == Technique::Periodic).then_some(ask),
            writers: options.writers,
            readers: options.readers,
            written: 0,
            asked: 0,
            late: 0,
        }
    }

    fn until(&mut self, crowd: &mut Crowd, talk: &mut Talk, end: Nanos) {
        while now() < end {
            let mut next = self.start + (self.written as f64 * self.write) as Nanos;
            while next <= now() {
                talk.say(crowd, next);
                self.written += 1;
                next = self.start + (self.written as f64 * self.write) as Nanos;
            }
            let wake = self.ask(crowd).min(next).min(end);
            crowd.turn(talk, wake);
        }
    }

    /// Asks for the pages that are due; when the next is.
    fn ask(&mut self, crowd: &mut Crowd) -> Nanos {
        let Some(step) = self.ask else { return Nanos::MAX };
        loop {
            let next = self.start + (self.asked as f64 * step) as Nanos;
            if next > now() {
                return next;
            }
            let reader = self.asked % u64::from(self.readers) + u64::from(self.writers);
            self.late += u64::from(!crowd.ask(ClientId::of(reader as usize)));
            self.asked += 1;
        }
    }

    /// Says nothing more, until everybody has read everything.
    fn drain(&mut self, crowd: &mut Crowd, talk: &mut Talk) {
        let round = self.ask.map_or(0, |step| seconds(step * f64::from(self.readers) / SECOND as f64));
        let patience = now() + DRAIN + round;
        while (talk.ledger.missing() > 0 || talk.unconfirmed() > 0) && now() < patience {
            let wake = self.ask(crowd).min(now() + 50 * MILLISECOND);
            crowd.turn(talk, wake);
        }
    }
}
