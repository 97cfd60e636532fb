//! What the machines ask for is done here: packets are queued, polls released, the timer set, and in the end the session is
//! let go.

use super::{State, wake};
use crate::frame::{CloseCode, Violation};
use crate::namespace::{self, message};
use crate::raw;
use crate::session::channel::Progress;
use crate::session::wheel::Entry;
use crate::session::{Session, close_code};
use crate::turn::Frames;
use encke_protocol::Timestamp;
use encke_protocol::engine::server::Output;
use encke_protocol::engine::{CloseReason, Data, Packet};
use encke_protocol::socket;

/// Most packets of this layer are shorter.
const PACKET_BYTES: usize = 192;

/// One packet, framed. Inside a turn.
fn packet(packet: &Packet<'_>) -> Frames {
    let mut text = String::with_capacity(PACKET_BYTES);
    packet.encode_text(&mut text);
    message(&text, &[])
}

impl State {
    /// Does what the machines ask for. True when the session has to be flushed at the end of the turn.
    pub(in crate::session) fn settle(&mut self, session: &Session) -> bool {
        while let Some(output) = self.namespaces.poll_output() {
            let frames = match output {
                socket::server::Output::Send(text) => packet(&Packet::Message(Data::Text(&text))),
                socket::server::Output::SendBinary(bytes) => namespace::binary(&bytes),
            };
            self.queue(&frames, session);
        }
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::AnswerProbe => {
                    if let Some(probe) = &mut self.probe {
                        probe.outbox.push(&packet(&Packet::Pong("probe")));
                        self.unflushed = true;
                    }
                }
                Output::Upgrade => {
                    if let Some(probe) = self.probe.take() {
                        self.outbox.put_in_front(probe.outbox);
                        self.carrier = Some(probe.channel);
                        // A goodbye to a polling client is none on a WebSocket.
                        self.parted = false;
                    }
                    self.unflushed = true;
                }
                Output::Ping => {
                    self.beat();
                    self.queue(&packet(&Packet::Ping("")), session);
                }
                Output::Pong => self.queue(&packet(&Packet::Pong("")), session),
                Output::Goodbye => self.say_goodbye(),
                Output::ReleasePoll => {
                    self.poll_due = true;
                    wake(&mut self.poll);
                }
                Output::CloseProbe => {
                    self.expected = None;
                    if let Some(probe) = self.probe.take() {
                        probe.channel.end();
                    }
                }
                Output::Drop => self.let_go(session),
            }
        }
        self.schedule(session);
        std::mem::take(&mut self.unflushed)
    }

    /// Queues frames of this layer. Bounded as the application's are: a client can ask for answers and never read them.
    fn queue(&mut self, frames: &Frames, session: &Session) {
        self.overflowed |= self.outbox.cost() > session.hub.config.limits.max_outbox;
        if !self.overflowed {
            self.unflushed |= self.outbox.push(frames);
        }
    }

    /// Queues the open packet, before anything else. False when the session is over already, as its server closes: then
    /// nobody will hear of that either.
    pub(in crate::session) fn open(
        &mut self,
        handshake: &str,
        raw: Option<raw::Session>,
        session: &Session,
    ) -> bool {
        self.queue(&packet(&Packet::Open(handshake)), session);
        let open = self.closed.is_none();
        self.raw = raw.filter(|_| open);
        open
    }

    /// Once, behind what is queued. A polling client gets it when it has fetched that.
    fn say_goodbye(&mut self) {
        if !std::mem::replace(&mut self.parted, true) && self.carrier.is_some() {
            self.unflushed |= self.outbox.push(&Frames::from_bytes(self.close_code().frame().to_vec()));
        }
    }

    fn close_code(&self) -> CloseCode {
        self.violation.map_or_else(
            || close_code(self.closed.unwrap_or(CloseReason::ForcedClose)),
            Violation::close_code,
        )
    }

    /// The machine has done with the session. Its tasks and requests see that and end.
    fn let_go(&mut self, session: &Session) {
        self.dropped = true;
        if self.carrier.is_some() {
            self.say_goodbye();
        } else {
            // Nobody will fetch it, and the application may keep a socket, and with it this, for long.
            self.outbox.clear();
        }
        session.hub.registry.remove(session.id);
        self.poll_due = true;
        wake(&mut self.poll);
        wake(&mut self.post);
        if let Some(carrier) = &mut self.carrier {
            carrier.wake();
        }
        session.hub.session_ended();
    }

    pub(super) fn schedule(&mut self, session: &Session) {
        let earliest = Timestamp::earlier(self.engine.next_deadline(), self.namespaces_deadline());
        let Some(at) = earliest else { return };
        if self.scheduled.is_none_or(|scheduled| at < scheduled) {
            self.scheduled = Some(at);
            let entry = Entry { slot: session.id.slot(), generation: session.id.generation() };
            session.hub.schedule(at, entry);
        }
    }

    pub(super) fn namespaces_deadline(&self) -> Option<Timestamp> {
        self.namespaces.next_deadline().filter(|_| self.closed.is_none() && self.raw.is_none())
    }

    /// Writes what is queued to whoever can take it. Runs outside turns too.
    pub(in crate::session) fn flush(&mut self, session: &Session) {
        if let Some(probe) = &mut self.probe {
            probe.channel.write(&mut probe.outbox);
        }
        match &mut self.carrier {
            Some(carrier) => {
                if carrier.write(&mut self.outbox) == Progress::Blocked {
                    self.outbox.copy_out();
                } else if self.dropped {
                    // Its driver waits for the goodbye to be written.
                    carrier.wake();
                }
            }
            None if self.poll.is_some() && self.outbox.readable() => wake(&mut self.poll),
            None => self.outbox.copy_out(),
        }
        if self.overflowed && self.closed.is_none() {
            // Not here: closing runs the application's handlers, and the caller may hold its locks.
            let entry = Entry { slot: session.id.slot(), generation: session.id.generation() };
            session.hub.schedule(Timestamp::default(), entry);
        }
    }
}
