//! What the applications on both ends say to each other, and the check that it arrives exactly once, in order and in time.
//!
//! A message is determined by its number, so the receiver knows what has to come next, to the byte.

use super::network::{Frame, Side};
use super::prng::Prng;
use encke_protocol::engine::payload;
use encke_protocol::engine::{Data, Packet};
use encke_protocol::socket::{self, Args, ArgsBuilder, Incoming};
use std::borrow::Cow;
use std::collections::VecDeque;

/// What has been sent one way, and how much of it has arrived.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By when each message has to arrive, in milliseconds; `u64::MAX` when the weather promises nothing.
    due_by: Vec<u64>,
    arrived: usize,
}

impl Ledger {
    pub fn sent(&self) -> usize {
        self.due_by.len()
    }

    pub fn is_complete(&self) -> bool {
        self.arrived == self.due_by.len()
    }

    /// How many are under way.
    pub fn under_way(&self) -> usize {
        self.due_by.len() - self.arrived
    }

    /// Counts one that is sent now; its number.
    pub fn send(&mut self, due_by: u64) -> u64 {
        self.due_by.push(due_by);
        (self.due_by.len() - 1) as u64
    }

    /// Checks one that has arrived; its number.
    pub fn arrive(&mut self, now: u64, args: &Args<'_>) -> u64 {
        let number = self.arrived;
        let due_by = *self.due_by.get(number).expect("nothing arrives that was not sent");
        assert_eq!(*args, message(number as u64), "message {number} comes next, unchanged");
        assert!(now <= due_by, "message {number} was due at {due_by} ms and came at {now} ms");
        self.arrived += 1;
        number as u64
    }
}

/// Both ways.
#[derive(Debug, Default)]
pub struct Traffic {
    pub to_server: Ledger,
    pub to_client: Ledger,
}

impl Traffic {
    pub fn from(&mut self, side: Side) -> &mut Ledger {
        match side {
            Side::Client => &mut self.to_server,
            Side::Server => &mut self.to_client,
        }
    }
}

/// The message of that number: some text that is awkward on the wire, sometimes attachments.
pub fn message(number: u64) -> Args<'static> {
    let mut prng = Prng::new(number);
    let awkward = ["plain", "\u{1e}", "😀", "\"\\", "\u{2028}", "4\u{1e}4", "__proto__", ""];
    let text = awkward[prng.below(awkward.len() as u64) as usize].repeat(prng.below(6) as usize);
    let mut args = ArgsBuilder::new().json(&number.to_string()).string(&text);
    while prng.once_in(4) {
        args = args.binary(vec![number as u8; prng.below(40) as usize]);
    }
    args.build()
}

/// Whether messages may ask for an ack; every third does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Acks {
    Wanted,
    Unwanted,
}

impl Acks {
    pub fn wanted_for(self, number: u64) -> bool {
        self == Self::Wanted && number.is_multiple_of(3)
    }
}

/// One end's application: emits, answers acks, checks what comes.
#[derive(Debug)]
pub struct Application {
    side: Side,
    /// The awaited acks, each with the number of its message.
    awaited: socket::Acks<u64>,
}

impl Application {
    pub fn new(side: Side) -> Self {
        Self { side, awaited: socket::Acks::default() }
    }

    pub fn awaits_acks(&self) -> bool {
        !self.awaited.is_empty()
    }

    pub fn emit(&mut self, traffic: &mut Traffic, due_by: u64, acks: Acks, outbox: &mut Outbox) {
        let number = traffic.from(self.side).send(due_by);
        let args = message(number);
        let id = acks.wanted_for(number).then(|| self.awaited.register(None, number));
        let (name, attachments) = (Cow::Borrowed("message"), args.attachments.len());
        outbox.push_packet(&socket::Packet::Event {
            namespace: "/",
            id,
            name,
            args: &args.text,
            attachments,
        });
        args.attachments.into_iter().for_each(|bytes| outbox.0.push_back(Frame::Binary(bytes)));
    }

    pub fn receive(&mut self, traffic: &mut Traffic, now: u64, incoming: Incoming<'_>, outbox: &mut Outbox) {
        match incoming {
            Incoming::Event { id, name, args, .. } => {
                assert_eq!(name, "message");
                let number = traffic.from(self.side.other()).arrive(now, &args);
                if let Some(id) = id {
                    let args = number.to_string();
                    outbox.push_packet(&socket::Packet::Ack {
                        namespace: "/",
                        id,
                        args: &args,
                        attachments: 0,
                    });
                }
            }
            Incoming::Ack { id, args, .. } => {
                let number = self.awaited.take(id).expect("no ack comes twice or unasked");
                assert_eq!(args.text, number.to_string(), "the ack belongs to its message");
            }
        }
    }
}

/// A driver's queue of packets, each as one WebSocket message.
#[derive(Debug, Default)]
pub struct Outbox(VecDeque<Frame>);

impl Outbox {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn push_engine(&mut self, packet: &Packet<'_>) {
        let mut text = String::new();
        packet.encode_text(&mut text);
        self.0.push_back(Frame::Text(text));
    }

    pub fn push_packet(&mut self, packet: &socket::Packet<'_>) {
        let mut text = String::new();
        packet.encode(&mut text);
        self.push_engine(&Packet::Message(Data::Text(&text)));
    }

    pub fn push_message(&mut self, text: &str) {
        self.push_engine(&Packet::Message(Data::Text(text)));
    }

    pub fn take_frames(&mut self) -> impl Iterator<Item = Frame> {
        std::mem::take(&mut self.0).into_iter()
    }

    /// As many packets as a payload may hold and as fit in `max_payload` bytes, but at least one if there is one.
    pub fn take_payload(&mut self, max_payload: usize) -> String {
        let mut body = String::new();
        for _ in 0..payload::MAX_PACKETS {
            let Some(frame) = self.0.front() else { break };
            let packet = Packet::decode(frame.data()).expect("the outbox holds packets");
            let before = body.len();
            payload::append(&mut body, &packet);
            if before > 0 && body.len() > max_payload {
                body.truncate(before);
                break;
            }
            self.0.pop_front();
        }
        body
    }
}
