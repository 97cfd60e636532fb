//! `fanout`: one client publishes, everybody else gets it. Each recipient must get all messages in order.

use super::publishing::{Pace, Publish, run};
use crate::bytes::Attachment;
use crate::clock::{MILLISECOND, Nanos, now};
use crate::crowd::{ClientId, Crowd, Work};
use crate::ledger::Ledger;
use crate::measure::{head, tail};
use crate::options::{Lasting, Length, Server, payload};
use crate::report::Report;
use crate::text::{Incoming, Outgoing, is_end};
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
    /// Bytes of the text or attachment, from 16 to 262,144.
    #[arg(long, default_value = "64", value_parser = payload)]
    payload: usize,
    /// Sends the payload as an attachment of `bytes`, in place of the text of `chat`.
    #[arg(long)]
    binary: bool,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    length: Length,
}

/// A binary event with its attachment left out, without what says that there is one and without its end.
const PLACEHOLDER: &str = r#"["bytes",{"_placeholder":true,"num":0}"#;

/// What is published.
enum Message {
    Text(Outgoing, Incoming),
    /// The attachment.
    Bytes(Outgoing),
}

struct Fanout {
    message: Message,
    payload: usize,
    recipients: usize,
    ledger: Ledger,
    /// The number that each client got last.
    last: Vec<u32>,
    /// Who waits for an attachment.
    awaits: Vec<bool>,
    out_of_order: i64,
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, payload, binary, pace, length, .. } = options;
    let n = options.n as usize;
    server.prepare(n, n * transport.connections())?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport.transport(), n))?;
    let mut fanout = Fanout::new(options);
    crowd.connect_all(&mut fanout)?;
    crowd.serve(&mut fanout, now() + 500 * MILLISECOND);
    let run = run(&mut crowd, &mut fanout, server, *pace, *length);
    let mode = if pace.saturate { "fanout-saturate" } else { "fanout" };
    let mut report = head(mode, server, transport.name(), n);
    report.count("payload", *payload, "B");
    report.text("form", if *binary { "binary" } else { "text" });
    run.rows(&mut report, &fanout.ledger, *pace, fanout.recipients);
    report.none("out_of_order", fanout.out_of_order, "");
    tail(&mut report, &crowd);
    Ok(report)
}

impl Fanout {
    fn new(&Options { n, payload, binary, pace, .. }: &Options) -> Self {
        let n = n as usize;
        let message = if binary {
            Message::Bytes(Outgoing::new("", payload, ""))
        } else {
            Message::Text(
                Outgoing::new(r#"42["chat",""#, payload, r#""]"#),
                Incoming::new(r#"["chat",""#, payload),
            )
        };
        Self {
            message,
            payload,
            recipients: n - 1,
            ledger: pace.ledger(),
            last: vec![0; n],
            awaits: vec![false; n],
            out_of_order: 0,
        }
    }

    fn got(&mut self, crowd: &mut Crowd, who: ClientId, number: u32, now: Nanos) {
        let last = &mut self.last[who.index()];
        self.out_of_order += i64::from(number != *last + 1);
        *last = number;
        if self.ledger.deliver(number, now) {
            self.fill(crowd);
        }
    }
}

impl Work for Fanout {
    fn event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8], now: Nanos) {
        let number = match &self.message {
            Message::Text(_, expected) => expected.number(array),
            Message::Bytes(_) => None,
        };
        match number {
            Some(number) => self.got(crowd, who, number, now),
            None => crowd.unexpected(who, "an event", array),
        }
    }

    fn binary_event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8]) {
        let rest = array.strip_prefix(PLACEHOLDER.as_bytes());
        if !rest.is_some_and(is_end) {
            return crowd.unexpected(who, "a binary event", array);
        }
        if std::mem::replace(&mut self.awaits[who.index()], true) {
            crowd.unexpected(who, "another in place of an attachment", array);
        }
    }

    fn attachment(&mut self, crowd: &mut Crowd, who: ClientId, attachment: Attachment<'_>, now: Nanos) {
        let awaited = std::mem::take(&mut self.awaits[who.index()]);
        match attachment.number(self.payload) {
            Some(number) if awaited => self.got(crowd, who, number, now),
            _ => crowd.unexpected(who, "an attachment", attachment.wire()),
        }
    }
}

impl Publish for Fanout {
    fn publish(&mut self, crowd: &mut Crowd, due: Nanos) {
        let number = self.ledger.send(due, self.recipients);
        let publisher = ClientId::of(0);
        match &mut self.message {
            Message::Text(packet, _) => crowd.send(publisher, packet.numbered(number)),
            Message::Bytes(bytes) => {
                crowd.send(publisher, format!("451-{PLACEHOLDER}]").as_bytes());
                crowd.send_attachment(publisher, bytes.numbered(number));
            }
        }
        crowd.post(publisher);
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
