//! Events on their way to the server: kept, in order and bounded, until the transport takes them.

use super::session::base64_len;
use crate::Timestamp;
use crate::list;
use crate::socket::{AckId, Acks, Args, Packet};
use std::borrow::Cow;

/// Room for type, attachment count, ack id, brackets and quotes. The namespace, a few bytes, is not counted.
const HEADER: usize = 48;

/// An event to be emitted.
#[derive(Debug)]
pub struct Emit<A> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Its arguments.
    pub args: Args<'static>,
    /// Drop it when it cannot be sent at once.
    pub volatile: bool,
    /// What waits for the ack, and for how many milliseconds at most.
    pub ack: Option<(A, u32)>,
}

/// Why an event is not sent, now or ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// The socket keeps as many messages as it may.
    Full,
    /// The message is larger than what the server takes.
    TooLarge,
    /// The socket is out of its namespace, for good: by the application's or the server's will.
    Closed,
    /// The message was volatile, and could not be sent at once.
    Busy,
    /// The payload cannot be written as JSON. Told by drivers.
    Unwritable,
}

impl NotSent {
    /// The reason in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "too many messages wait to be sent",
            Self::TooLarge => "the message is larger than the server takes",
            Self::Closed => "the socket is not in its namespace and will not join by itself",
            Self::Busy => "the message was volatile and could not be sent at once",
            Self::Unwritable => "the payload cannot be written as JSON",
        }
    }
}

impl std::fmt::Display for NotSent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for NotSent {}

/// An event that was not taken.
#[derive(Debug)]
pub struct EmitError<A> {
    /// Why.
    pub reason: NotSent,
    /// What would have waited for its ack.
    pub ack: Option<A>,
}

/// Why an ack did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckFailure {
    /// Not in time. An event that was still queued will not be sent any more; one that was sent may have been handled.
    Timeout,
    /// The event was sent, and then the connection or the socket's membership ended. The server may have handled it.
    Disconnected,
    /// The event was never sent.
    NotSent(NotSent),
}

/// See [`Queued::largest_packet`].
pub(super) fn largest_packet(name: usize, args: &Args<'_>) -> usize {
    let text = name + args.text.len() + HEADER;
    let binary = args.attachments.iter().map(|bytes| base64_len(bytes.len())).max();
    text.max(binary.unwrap_or_default())
}

#[derive(Debug)]
pub(super) enum Queued<A> {
    Event { name: Cow<'static, str>, args: Args<'static>, ack: Option<(A, Timestamp)> },
    Reply { id: AckId, args: Args<'static> },
}

impl<A> Queued<A> {
    /// The packets of this message, the text first. Its ack is registered in `acks`.
    pub(super) fn encode(self, namespace: &str, acks: &mut Acks<A>) -> (String, Vec<Vec<u8>>) {
        // The Engine.IO type of a message.
        let mut text = String::from("4");
        match self {
            Self::Event { name, args, ack } => {
                let id = ack.map(|(slot, until)| acks.register(Some(until), slot));
                let attachments = args.attachments.len();
                Packet::Event { namespace, id, name, args: &args.text, attachments }.encode(&mut text);
                (text, args.attachments)
            }
            Self::Reply { id, args } => {
                let attachments = args.attachments.len();
                Packet::Ack { namespace, id, args: &args.text, attachments }.encode(&mut text);
                (text, args.attachments)
            }
        }
    }

    /// Bytes of its largest packet, as base64 where it is binary, so that it fits whichever transport takes it. Header and
    /// brackets are counted generously.
    pub(super) fn largest_packet(&self) -> usize {
        let (name, args) = match self {
            Self::Event { name, args, .. } => (name.len(), args),
            Self::Reply { args, .. } => (0, args),
        };
        largest_packet(name, args)
    }

    /// What waits for its ack, if anything does.
    pub(super) fn into_slot(self) -> Option<A> {
        match self {
            Self::Event { ack, .. } => ack.map(|(slot, _)| slot),
            Self::Reply { .. } => None,
        }
    }

    fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Event { ack: Some((_, until)), .. } => Some(*until),
            _ => None,
        }
    }
}

/// The messages of one socket that wait to be sent.
#[derive(Debug)]
pub(super) struct Outbox<A>(Vec<Queued<A>>);

impl<A> Outbox<A> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, queued: Queued<A>) {
        self.0.push(queued);
    }

    pub(super) fn pop(&mut self) -> Option<Queued<A>> {
        list::take(&mut self.0, 0)
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        self.0.iter().fold(None, |next, queued| Timestamp::earlier(next, queued.until()))
    }

    /// Takes what waited for the ack of one message whose time is over; the message is not sent any more.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Option<A> {
        let expired = |queued: &Queued<A>| queued.until().is_some_and(|until| until <= now);
        let index = self.0.iter().position(expired)?;
        list::take(&mut self.0, index)?.into_slot()
    }

    /// Takes what waits for an ack and matches, with its message, which is not sent any more.
    pub(super) fn take_matching(&mut self, matches: impl Fn(&A) -> bool) -> Option<A> {
        let found = |queued: &Queued<A>| matches!(queued, Queued::Event { ack: Some((slot, _)), .. } if matches(slot));
        let index = self.0.iter().position(found)?;
        list::take(&mut self.0, index)?.into_slot()
    }

    /// Bytes of the largest packet of the message that is next.
    pub(super) fn next_packet(&self) -> Option<usize> {
        self.0.first().map(Queued::largest_packet)
    }

    /// Drops the replies: they answer events of a connection that is gone.
    pub(super) fn drop_replies(&mut self) {
        self.0.retain(|queued| matches!(queued, Queued::Event { .. }));
    }
}
