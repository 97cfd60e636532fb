//! `fanout`: one client publishes, everybody else gets it. Each recipient must get all messages in order.

use super::publishing::{Pace, Publish, run};
use crate::clock::{MILLISECOND, Nanos, SECOND, now};
use crate::crowd::{ClientId, Crowd, Work};
use crate::ledger::Ledger;
use crate::measure::{head, tail};
use crate::options::{Lasting, Length, Server, payload};
use crate::report::Report;
use crate::text::{Incoming, Outgoing};
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Clients, the publisher included.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..))]
    n: u32,
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Lasting,
    /// Bytes of the text, from 16 to 262,144.
    #[arg(long, default_value = "64", value_parser = payload)]
    payload: usize,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    length: Length,
}

struct Fanout {
    message: Outgoing,
    expected: Incoming,
    recipients: usize,
    ledger: Ledger,
    /// The number that each client got last.
    last: Vec<u32>,
    out_of_order: i64,
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, payload, pace, length, .. } = options;
    let n = options.n as usize;
    server.prepare(n * transport.connections())?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport.transport(), n))?;
    let mut fanout = Fanout {
        message: Outgoing::new(r#"42["chat",""#, *payload, r#""]"#),
        expected: Incoming::new(r#"["chat",""#, *payload),
        recipients: n - 1,
        ledger: pace.ledger(),
        last: vec![0; n],
        out_of_order: 0,
    };
    crowd.connect_all(&mut fanout, 120 * SECOND)?;
    crowd.serve(&mut fanout, now() + 500 * MILLISECOND);
    let run = run(&mut crowd, &mut fanout, server, *pace, *length);
    let mode = if pace.saturate { "fanout-saturate" } else { "fanout" };
    let mut report = head(mode, server, transport.name(), n);
    report.count("payload", *payload, "B");
    run.rows(&mut report, &fanout.ledger, *pace, fanout.recipients);
    report.none("out_of_order", fanout.out_of_order, "");
    tail(&mut report, &crowd);
    Ok(report)
}

impl Work for Fanout {
    fn event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8], now: Nanos) {
        let Some(number) = self.expected.number(array) else {
            return crowd.unexpected(who, "an event", array);
        };
        let last = &mut self.last[who.index()];
        self.out_of_order += i64::from(number != *last + 1);
        *last = number;
        if self.ledger.deliver(number, now) {
            self.fill(crowd);
        }
    }
}

impl Publish for Fanout {
    fn publish(&mut self, crowd: &mut Crowd, due: Nanos) {
        let number = self.ledger.send(due, self.recipients);
        let publisher = ClientId::of(0);
        crowd.send(publisher, self.message.numbered(number));
        crowd.post(publisher);
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
