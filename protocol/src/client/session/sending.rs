//! The way out: from the sockets' outboxes through encoded packets to the transport.

use super::{Session, Wire, base64_len};
use crate::Timestamp;
use crate::client::socket::Socket;
use crate::client::{AckFailure, Event, Goodbye, NotSent, Output, SocketId};
use crate::engine::client as engine;
use crate::engine::{CloseReason, Data, Packet, Transport, jsonp, payload};
use crate::list;
use crate::queue::Queue;
use std::borrow::Cow;

impl Session {
    /// Ends the session. Over polling, what waits to be sent goes with the goodbye; a WebSocket takes it before.
    pub(in crate::client) fn close<A>(&mut self, now: Timestamp, outputs: &mut Queue<Output<A>>) {
        if self.engine.writable() == Some(Transport::WebSocket) {
            self.write(outputs);
        }
        self.feed(now, engine::Input::Close(CloseReason::ForcedClose));
    }

    /// Hands packets to the transport while it takes them: first what waits here, then what the sockets have queued.
    pub(in crate::client) fn flush<A>(&mut self, sockets: &mut [Socket<A>], outputs: &mut Queue<Output<A>>) {
        match self.engine.writable() {
            None => {}
            Some(Transport::WebSocket) => {
                while self.refill(sockets, outputs, usize::MAX) {
                    self.write(outputs);
                }
            }
            Some(Transport::Polling) => {
                let mut body = String::new();
                for _ in 0..payload::MAX_PACKETS {
                    let room = self.room(&body);
                    if !self.refill(sockets, outputs, room) || !self.append(&mut body) {
                        break;
                    }
                }
                if !body.is_empty() {
                    let url = self.url(Transport::Polling);
                    outputs.push(match self.jsonp {
                        Some(_) => Output::SubmitForm { url, field: jsonp::encode_field(&body) },
                        None => Output::Post { url, body },
                    });
                    self.engine.post_started();
                }
            }
        }
    }

    fn write<A>(&mut self, outputs: &mut Queue<Output<A>>) {
        for packet in std::mem::take(&mut self.wire) {
            outputs.push(match packet {
                Wire::Text(text) => Output::SendText(text),
                Wire::Binary(bytes) => Output::SendBinary(bytes),
            });
        }
    }

    /// Bytes that the next packet of a payload may have. Any packet may be the first: it was measured when it was queued.
    fn room(&self, body: &str) -> usize {
        match self.jsonp {
            _ if body.is_empty() => usize::MAX,
            // What is to come is counted as if all of it had to be encoded, and the separator is.
            Some(_) => jsonp::fits_in_form(self.max_payload.saturating_sub(form_len(body) + 3)),
            None => self.max_payload.saturating_sub(body.len() + 1),
        }
    }

    /// Whether a packet waits, after the next queued message has been encoded if none did. A message that does not fit
    /// into `room` stays queued, so that it outlives this session.
    fn refill<A>(&mut self, sockets: &mut [Socket<A>], outputs: &mut Queue<Output<A>>, room: usize) -> bool {
        while self.wire.is_empty() {
            let ready =
                |socket: &Socket<A>| socket.outbox.len() > 0 && self.namespaces.is_joined(&socket.namespace);
            let Some((index, socket)) = sockets.iter_mut().enumerate().find(|(_, socket)| ready(socket))
            else {
                return false;
            };
            let size = socket.outbox.next_packet().unwrap_or_default();
            if size > room && size <= self.max_payload {
                return false;
            }
            let Some(queued) = socket.outbox.pop() else {
                return false;
            };
            if size > self.max_payload {
                outputs.push(Output::Event(match queued.into_slot() {
                    Some(slot) => Event::Ack { slot, result: Err(AckFailure::NotSent(NotSent::TooLarge)) },
                    None => Event::Dropped(SocketId(index)),
                }));
                continue;
            }
            let (text, attachments) = queued.encode(&socket.namespace, &mut socket.acks);
            self.wire.push(Wire::Text(text));
            for bytes in attachments {
                self.wire.push(Wire::Binary(bytes));
            }
        }
        true
    }

    /// Moves the next packet into a payload, unless it would grow beyond what the server takes.
    fn append(&mut self, body: &mut String) -> bool {
        let len = match self.wire.first() {
            Some(Wire::Text(text)) => text.len(),
            Some(Wire::Binary(bytes)) => base64_len(bytes.len()),
            None => return false,
        };
        if len > self.room(body) {
            return false;
        }
        match list::take(&mut self.wire, 0) {
            Some(Wire::Text(text)) => {
                if !body.is_empty() {
                    body.push(payload::SEPARATOR);
                }
                body.push_str(&text);
            }
            Some(Wire::Binary(bytes)) => {
                payload::append(body, &Packet::Message(Data::Binary(Cow::Owned(bytes))))
            }
            None => {}
        }
        true
    }

    /// Over polling, puts what the sockets have queued into the payload of the goodbye, as far as one takes it: a POST that
    /// is under way keeps it from leaving before.
    pub(in crate::client) fn pack<A>(&mut self, sockets: &mut [Socket<A>], outputs: &mut Queue<Output<A>>) {
        if self.engine.transport() == Some(Transport::Polling) {
            let mut last = std::mem::take(&mut self.last);
            // Room for a packet that leaves the namespace, and for the close packet.
            for _ in 2..payload::MAX_PACKETS {
                let room = self.room(&last);
                if !self.refill(sockets, outputs, room) || !self.append(&mut last) {
                    break;
                }
            }
            self.last = last;
        }
    }

    /// A last POST: the packets that wait, as far as one payload takes them, and the close packet.
    pub(super) fn goodbye(&mut self) -> Goodbye {
        let mut body = std::mem::take(&mut self.last);
        let separators =
            |body: &str| body.bytes().filter(|byte| char::from(*byte) == payload::SEPARATOR).count();
        while separators(&body) + 2 < payload::MAX_PACKETS && self.append(&mut body) {}
        payload::append(&mut body, &Packet::Close);
        let form = self.jsonp.is_some();
        Goodbye {
            url: self.url(Transport::Polling),
            body: if form { jsonp::encode_field(&body) } else { body },
            form,
        }
    }
}

/// Bytes of a form with that payload in its field, at most: a server may count these.
fn form_len(payload: &str) -> usize {
    let mut len = jsonp::FIELD.len() + 1;
    for byte in payload.bytes() {
        len += match byte {
            // The form's own rule; anything else is percent-encoded.
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'-' | b'.' | b'_' | b' ' => 1,
            // One more may be put behind it.
            b'\\' => 6,
            _ => 3,
        };
    }
    len
}
