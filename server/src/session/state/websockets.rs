//! The WebSockets of a session: the one that carries it, and the one that would like to. Each has a number by which its
//! driver asks for it; a number that is not found means that the session has done with it.

use super::{Probe, State};
use crate::frame::{self, CloseCode, Opcode, Violation};
use crate::session::Task;
use crate::session::channel::Channel;
use crate::session::outbox::Outbox;
use crate::turn::{self, Frames};
use encke_protocol::Timestamp;
use encke_protocol::engine::server::Input;
use encke_protocol::engine::{CloseReason, ProtocolError};
use encke_protocol::socket::Limits;

impl State {
    /// Takes in the WebSocket that has opened the session, which is written the greeting before anything else.
    pub(in crate::session) fn carry(&mut self, make: impl FnOnce(u32) -> Channel, greeting: Vec<u8>) -> u32 {
        if !greeting.is_empty() {
            let mut front = Outbox::default();
            front.push(&Frames::from_bytes(greeting));
            self.outbox.put_in_front(front);
        }
        self.carrier = Some(make(self.channels));
        self.unflushed = true;
        self.channels
    }

    /// Prepares for a WebSocket that would like to carry the session; its number is how its driver asks for it.
    pub(in crate::session) fn expect_probe(&mut self, now: Timestamp) -> Result<u32, ProtocolError> {
        self.engine.handle_input(now, Input::WebSocketOpened)?;
        self.channels = self.channels.wrapping_add(1);
        self.expected = Some(self.channels);
        Ok(self.channels)
    }

    /// Takes in the WebSocket of that number, unless it took too long.
    pub(in crate::session) fn attach_probe(&mut self, number: u32, make: impl FnOnce(u32) -> Channel) {
        if self.expected.take_if(|expected| *expected == number).is_some() {
            self.probe = Some(Box::new(Probe { channel: make(number), outbox: Outbox::default() }));
        }
    }

    /// The WebSocket of that number with its queue, as long as it has to do with the session.
    pub(in crate::session) fn channel(&mut self, number: u32) -> Option<(&mut Channel, &mut Outbox)> {
        if let Some(carrier) = self.carrier.as_mut().filter(|carrier| carrier.number == number) {
            return Some((carrier, &mut self.outbox));
        }
        let probe = self.probe.as_mut().filter(|probe| probe.channel.number == number)?;
        Some((&mut probe.channel, &mut probe.outbox))
    }

    /// A packet on the WebSocket of that number.
    pub(in crate::session) fn packet<'a>(
        &mut self,
        now: Timestamp,
        number: u32,
        input: Input<'a>,
        limits: &Limits,
    ) -> Result<Task<'a>, ProtocolError> {
        match self.channel(number) {
            Some(_) => self.input(now, input, limits),
            None => Err(ProtocolError::WrongTransport),
        }
    }

    /// Answers a ping of the WebSocket itself. Not while an answer waits: the last ping is all that counts, and nobody
    /// fills the queue with pings.
    pub(in crate::session) fn pong(&mut self, number: u32, payload: &[u8]) {
        let Some((channel, outbox)) = self.channel(number) else { return };
        if !channel.blocked {
            outbox.push(&control(Opcode::Pong, payload));
            self.unflushed = true;
        }
    }

    /// The WebSocket of that number has ended, perhaps for a violation.
    pub(in crate::session) fn websocket_closed(
        &mut self,
        now: Timestamp,
        number: u32,
        (reason, violation): (CloseReason, Option<Violation>),
        limits: &Limits,
    ) -> Task<'static> {
        if self.carrier.as_ref().is_some_and(|carrier| carrier.number == number) {
            self.violation = violation;
        } else if self.expected.take_if(|expected| *expected == number).is_some() {
            // It ended before it was one.
        } else if self.probe.as_ref().is_some_and(|probe| probe.channel.number == number) {
            if let Some(mut probe) = self.probe.take() {
                let code = violation.map_or(CloseCode::Normal, Violation::close_code);
                probe.outbox.push(&Frames::from_bytes(code.frame().to_vec()));
                probe.channel.write(&mut probe.outbox);
                probe.channel.end();
            }
        } else {
            return Task::Nothing;
        }
        // The machine refuses nothing here.
        self.input(now, Input::WebSocketClosed(reason), limits).unwrap_or(Task::Nothing)
    }
}

/// A WebSocket control frame. Inside a turn.
fn control(opcode: Opcode, payload: &[u8]) -> Frames {
    turn::write(|buffer| frame::control(buffer, opcode, payload))
}
