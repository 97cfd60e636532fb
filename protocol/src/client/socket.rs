//! One namespace as the application sees it, over all sessions: what it wants, what waits to be sent, what waits for acks.

use super::outbox::{Outbox, Queued, largest_packet};
use super::session::What;
use super::{AckFailure, Emit, EmitError, Event, NotSent, Output};
use crate::Timestamp;
use crate::engine::CloseReason;
use crate::queue::Queue;
use crate::socket::{AckId, Acks, Args, DisconnectReason};

/// Names a socket of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SocketId(pub(super) usize);

impl SocketId {
    /// Sockets are numbered from 0, in the order in which they were asked for.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Names an event of the server that wants an answer. After a reconnect the server counts anew, so the number alone would
/// answer another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyTo {
    id: AckId,
    /// The join of the socket in which it came.
    join: u32,
}

#[derive(Debug)]
pub(super) struct Socket<A> {
    pub(super) namespace: String,
    pub(super) auth: Option<String>,
    /// Joins whenever there is a session. Off once the application left, or the server refused or disconnected.
    pub(super) wanted: bool,
    /// While joined.
    pub(super) sid: Option<String>,
    /// How often it has joined.
    joins: u32,
    pub(super) outbox: Outbox<A>,
    pub(super) acks: Acks<A>,
}

type Outputs<A> = Queue<Output<A>>;

impl<A> Socket<A> {
    pub(super) fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            auth: None,
            wanted: true,
            sid: None,
            joins: 0,
            outbox: Outbox::new(),
            acks: Acks::default(),
        }
    }

    /// `at_once`: the transport would take the message now.
    pub(super) fn queue_event(
        &mut self,
        now: Timestamp,
        emit: Emit<A>,
        at_once: bool,
        max_payload: usize,
        max_queued: usize,
    ) -> Result<(), EmitError<A>> {
        let refused = if !self.wanted {
            Some(NotSent::Closed)
        } else if largest_packet(emit.name.len(), &emit.args) > max_payload {
            Some(NotSent::TooLarge)
        } else if emit.volatile && (!at_once || self.outbox.len() > 0) {
            Some(NotSent::Busy)
        } else if self.outbox.len() >= max_queued {
            Some(NotSent::Full)
        } else {
            None
        };
        if let Some(reason) = refused {
            return Err(EmitError { reason, ack: emit.ack.map(|(slot, _)| slot) });
        }
        let ack = emit.ack.map(|(slot, timeout)| (slot, now.after(timeout.into())));
        self.outbox.push(Queued::Event { name: emit.name, args: emit.args, ack });
        Ok(())
    }

    /// Beyond the limit the reply is dropped, which makes `false`: the server asks more than it takes answers.
    pub(super) fn queue_reply(&mut self, to: ReplyTo, args: Args<'static>, max_queued: usize) -> bool {
        if self.sid.is_none() || self.joins != to.join {
            return true;
        }
        let fits = self.outbox.len() < max_queued;
        if fits {
            self.outbox.push(Queued::Reply { id: to.id, args });
        }
        fits
    }

    /// Frees what waits for an ack and matches. A message that is still queued is not sent any more.
    pub(super) fn cancel(&mut self, matches: &impl Fn(&A) -> bool) -> Option<A> {
        self.outbox.take_matching(matches).or_else(|| self.acks.take_matching(matches))
    }

    pub(super) fn next_deadline(&self) -> Option<Timestamp> {
        Timestamp::earlier(self.outbox.next_deadline(), self.acks.next_deadline())
    }

    /// Ends what has waited long enough.
    pub(super) fn expire(&mut self, now: Timestamp, outputs: &mut Outputs<A>) {
        while let Some(slot) = self.outbox.take_expired(now).or_else(|| self.acks.take_expired(now)) {
            end_ack(slot, AckFailure::Timeout, outputs);
        }
    }

    pub(super) fn told(&mut self, id: SocketId, what: What, outputs: &mut Outputs<A>) {
        let event = match what {
            What::Connected { sid } => {
                self.sid = Some(sid);
                self.joins = self.joins.wrapping_add(1);
                Event::Connected(id)
            }
            What::Refused { message, data } => {
                self.wanted = false;
                outputs.push(Output::Event(Event::Refused { socket: id, message, data }));
                return self.end_all(Some(id), outputs);
            }
            What::Disconnected => {
                self.wanted = false;
                return self.disconnected(id, DisconnectReason::ByServer, outputs);
            }
            What::Event { id: ack, name, args } => {
                let reply_to = ack.map(|id| ReplyTo { id, join: self.joins });
                Event::Incoming { socket: id, reply_to, name, args }
            }
            What::Ack { id, args } => match self.acks.take(id) {
                Some(slot) => Event::Ack { slot, result: Ok(args) },
                None => return,
            },
        };
        outputs.push(Output::Event(event));
    }

    /// The session is over. What was not sent yet waits for the next one; whether the rest arrived is unknown.
    pub(super) fn session_ended(&mut self, id: SocketId, reason: CloseReason, outputs: &mut Outputs<A>) {
        self.outbox.drop_replies();
        self.tell_disconnected(id, DisconnectReason::Session(reason), outputs);
        self.end_awaited(outputs);
    }

    /// No way back but by the application: everything ends.
    pub(super) fn disconnected(&mut self, id: SocketId, reason: DisconnectReason, outputs: &mut Outputs<A>) {
        self.tell_disconnected(id, reason, outputs);
        // Who leaves of its own accord knows what that does to its queue.
        self.end_all((reason != DisconnectReason::ByClient).then_some(id), outputs);
    }

    fn tell_disconnected(&mut self, id: SocketId, reason: DisconnectReason, outputs: &mut Outputs<A>) {
        if self.sid.take().is_some() {
            outputs.push(Output::Event(Event::Disconnected { socket: id, reason }));
        }
    }

    /// `told`: who is told of the events without ack that are dropped.
    fn end_all(&mut self, told: Option<SocketId>, outputs: &mut Outputs<A>) {
        self.end_awaited(outputs);
        // What they answer is over.
        self.outbox.drop_replies();
        while let Some(queued) = self.outbox.pop() {
            match queued.into_slot() {
                Some(slot) => end_ack(slot, AckFailure::NotSent(NotSent::Closed), outputs),
                None => {
                    if let Some(id) = told {
                        outputs.push(Output::Event(Event::Dropped(id)));
                    }
                }
            }
        }
    }

    fn end_awaited(&mut self, outputs: &mut Outputs<A>) {
        while let Some(slot) = self.acks.take_any() {
            end_ack(slot, AckFailure::Disconnected, outputs);
        }
    }
}

fn end_ack<A>(slot: A, failure: AckFailure, outputs: &mut Outputs<A>) {
    outputs.push(Output::Event(Event::Ack { slot, result: Err(failure) }));
}
