//! What comes: bytes, then answers or frames, then packets, and what ends a connection.

use super::client::{ClientId, Stage, Transport};
use super::sending::SEPARATOR;
use super::{Crowd, Work};
use crate::bytes::Attachment;
use crate::clock::{Nanos, now};
use crate::frame::{self, opcode};
use crate::http::Response;
use crate::net::{ConnectionId, Received, Role, State};
use crate::text::{DIGITS, number};
use memchr::{memchr, memmem};
use std::mem;

impl Crowd {
    /// Reads once and works off what is complete.
    pub(super) fn read(&mut self, work: &mut impl Work, id: ConnectionId) {
        let mut buffer = mem::take(&mut self.buffer);
        match self.net.receive(id, &mut buffer) {
            Received::Bytes(count) => self.take(work, id, &buffer[..count]),
            Received::Nothing => {}
            Received::End => self.ended(id, "closed by the server"),
            Received::Failed(error) => self.ended(id, &error.to_string()),
        }
        self.buffer = buffer;
    }

    fn take(&mut self, work: &mut impl Work, id: ConnectionId, bytes: &[u8]) {
        let (now, generation) = (now(), self.net.generation(id));
        let mut before = mem::take(&mut self.net[id].incomplete);
        if before.is_empty() {
            let used = self.work_off(work, id, bytes, now);
            if used < bytes.len() && self.net.is_open(id, generation) {
                before.extend_from_slice(&bytes[used..]);
                self.net[id].incomplete = before;
            }
        } else {
            before.extend_from_slice(bytes);
            let used = self.work_off(work, id, &before, now);
            if self.net.is_open(id, generation) {
                self.net[id].keep(before, used);
            }
        }
    }

    /// Works off complete answers and frames; the number of bytes they took. Once the connection is closed, the rest counts
    /// for nothing.
    fn work_off(&mut self, work: &mut impl Work, id: ConnectionId, bytes: &[u8], now: Nanos) -> usize {
        let generation = self.net.generation(id);
        let mut used = 0;
        while self.net[id].state != State::Frames {
            let response = match Response::decode(&bytes[used..]) {
                Ok(Some(response)) => response,
                Ok(None) => return used,
                Err(malformed) => {
                    self.broken(id, &malformed.to_string());
                    return used;
                }
            };
            used += response.length;
            self.response(work, id, &response, now);
            if used == bytes.len() || !self.net.is_open(id, generation) {
                return used;
            }
        }
        used + self.frames(work, id, &bytes[used..], now)
    }

    fn frames(&mut self, work: &mut impl Work, id: ConnectionId, bytes: &[u8], now: Nanos) -> usize {
        let (who, generation) = (self.net[id].client, self.net.generation(id));
        let mut used = 0;
        loop {
            let frame = match frame::decode(&bytes[used..]) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(frame::TooLong) => {
                    self.broken(id, "a frame of absurd length");
                    break;
                }
            };
            used += frame.length;
            match frame.opcode() {
                Some(opcode::TEXT) => self.packet(work, who, frame.payload, now),
                Some(opcode::BINARY) => work.attachment(self, who, Attachment::Raw(frame.payload), now),
                Some(opcode::PING) => frame::encode(self.net.out(id), opcode::PONG, frame.payload),
                // Who is leaving waits for the end of the stream.
                Some(opcode::CLOSE) if self.stage(who) == Stage::Leaving => {}
                Some(opcode::CLOSE) => self.broken(id, "closed by a frame"),
                _ => self.unexpected(who, "a frame of another kind", &bytes[used - frame.length..]),
            }
            if !self.net.is_open(id, generation) {
                break;
            }
        }
        used
    }

    fn response(&mut self, work: &mut impl Work, id: ConnectionId, response: &Response<'_>, now: Nanos) {
        let (who, generation) = (self.net[id].client, self.net.generation(id));
        match response.status {
            _ if self.net[id].state == State::Free => return self.broken(id, "an answer to no request"),
            101 if response.accepts() => return self.has_socket(who, id),
            101 => return self.broken(id, "upgraded with a wrong Sec-WebSocket-Accept"),
            200 => {}
            status => {
                let body = String::from_utf8_lossy(&response.body[..response.body.len().min(200)]);
                return self.broken(id, &format!("answered by {status}: {body}"));
            }
        }
        self.net[id].state = State::Free;
        if self.net[id].role == Role::Post {
            self.post(who);
        } else {
            self.polled(work, who, id, &response.body, now);
        }
        if response.closes && self.net.is_open(id, generation) && self.net[id].state == State::Free {
            self.ended(id, "closed by a header");
        }
    }

    /// A connection for polls is free again.
    fn polled(&mut self, work: &mut impl Work, who: ClientId, id: ConnectionId, body: &[u8], now: Nanos) {
        if self.clients[who.index()].transport == Transport::Page {
            if self.stage(who) == Stage::Opening {
                self.connected(work, who);
            }
            return work.page(self, who, body, now);
        }
        match self.stage(who) {
            Stage::Off => return,
            Stage::Asking => {
                self.clients[who.index()].stage = Stage::Joining;
                return self.poll(who, id);
            }
            Stage::Leaving if self.socket_of(who).is_none() => return self.left(who),
            Stage::Leaving => return,
            _ => {}
        }
        let generation = self.net.generation(id);
        for packet in body.split(|byte| *byte == SEPARATOR) {
            self.packet(work, who, packet, now);
            if !self.net.is_open(id, generation) {
                return;
            }
        }
        match self.stage(who) {
            Stage::Up | Stage::Joining | Stage::Probing if self.net[id].state == State::Free => {
                self.poll(who, id)
            }
            Stage::Probed => self.upgrade(who),
            _ => {}
        }
        self.post(who);
    }

    /// An Engine.IO packet.
    fn packet(&mut self, work: &mut impl Work, who: ClientId, packet: &[u8], now: Nanos) {
        match packet {
            [b'4', b'2', array @ ..] => work.event(self, who, array, now),
            [b'4', b'3', rest @ ..] => self.acked(work, who, rest, now),
            [b'4', b'5', b'1', b'-', array @ ..] => work.binary_event(self, who, array),
            [b'b', base64 @ ..] => work.attachment(self, who, Attachment::Base64(base64), now),
            [b'4', b'0', ..] if self.stage(who) == Stage::Joining => self.entered(work, who),
            [b'0', handshake @ ..] => match sid(handshake) {
                Some(sid) if self.stage(who) == Stage::Opening => {
                    self.max_payload = max_payload(handshake).unwrap_or(usize::MAX);
                    self.opened(who, sid);
                }
                _ => self.unexpected(who, "a handshake", packet),
            },
            b"2" => {
                self.tally.heartbeats += 1;
                self.send(who, b"3");
                self.post(who);
            }
            b"3probe" if self.stage(who) == Stage::Probing => {
                self.clients[who.index()].stage = Stage::Probed;
                self.upgrade(who);
            }
            b"6" | b"" => {}
            _ => {
                self.unexpected(who, "a packet", packet);
                // Nothing good follows a refusal or a goodbye.
                if matches!(packet, [b'1'] | [b'4', b'1' | b'4', ..]) {
                    self.fail(who);
                }
            }
        }
    }

    fn acked(&mut self, work: &mut impl Work, who: ClientId, rest: &[u8], now: Nanos) {
        let (digits, array) = rest.split_at(rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
        if self.stage(who) == Stage::Upgraded {
            return self.connected(work, who);
        }
        if (1..=DIGITS).contains(&digits.len())
            && let Some(id) = number(digits)
        {
            work.ack(self, who, id, array, now);
        } else {
            self.unexpected(who, "an ack without an id", rest);
        }
    }

    /// The server has closed a connection, which it said in that way.
    fn ended(&mut self, id: ConnectionId, why: &str) {
        let (who, role, state) = (self.net[id].client, self.net[id].role, self.net[id].state);
        let client = &mut self.clients[who.index()];
        match role {
            Role::Socket if client.stage == Stage::Leaving => self.left(who),
            // The server may close those that are not used: they are opened again.
            Role::Post if state == State::Free => {
                client.post = None;
                self.net.close(id);
                self.post(who);
            }
            Role::Poll if state == State::Free => {
                client.poll = None;
                self.net.close(id);
            }
            _ => self.broken(id, why),
        }
    }

    /// A connection is of no more use to its client, and so the client of none, for that reason.
    fn broken(&mut self, id: ConnectionId, why: &str) {
        let (who, role, state) = (self.net[id].client, self.net[id].role, self.net[id].state);
        let stage = self.stage(who);
        self.error(format!("client {} ({stage:?}), connection {role:?} ({state:?}): {why}", who.index()));
        self.fail(who);
    }
}

/// The session's id in a handshake.
fn sid(handshake: &[u8]) -> Option<&str> {
    const NAME: &[u8] = br#""sid":""#;
    let rest = &handshake[memmem::find(handshake, NAME)? + NAME.len()..];
    std::str::from_utf8(&rest[..memchr(b'"', rest)?]).ok()
}

/// The bytes of the longest post, as the server says in a handshake.
fn max_payload(handshake: &[u8]) -> Option<usize> {
    const NAME: &[u8] = br#""maxPayload":"#;
    let rest = &handshake[memmem::find(handshake, NAME)? + NAME.len()..];
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_may_say_how_long_a_post_may_be() {
        assert_eq!(max_payload(br#"{"sid":"abc","maxPayload":1000000}"#), Some(1_000_000));
        assert_eq!(max_payload(br#"{"sid":"abc"}"#), None);
    }

    #[test]
    fn a_session_has_the_id_of_its_handshake() {
        assert_eq!(sid(br#"{"sid":"abc","upgrades":[]}"#), Some("abc"));
        for handshake in [&b"{}"[..], br#"{"sid":7}"#, br#"{"sid":"abc"#] {
            assert_eq!(sid(handshake), None);
        }
    }
}
