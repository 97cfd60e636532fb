//! What clients send: packets over a WebSocket, or in posts of which one is outstanding at most, as with the official client.

use super::Crowd;
use super::client::{ClientId, Stage};
use crate::bytes;
use crate::frame::{self, opcode};
use crate::net::{ConnectionId, Role, State};
use memchr::{memchr, memrchr};
use std::mem;

/// What stands between packets of one post or poll.
pub(super) const SEPARATOR: u8 = 0x1e;

impl Crowd {
    /// Sends an Engine.IO packet of text. Without a WebSocket it waits for the next post: see [`Self::post`].
    pub(crate) fn send(&mut self, who: ClientId, packet: &[u8]) {
        if let Some(id) = self.socket_of(who) {
            return frame::encode(self.net.out(id), opcode::TEXT, packet);
        }
        let queue = &mut self.clients[who.index()].queue;
        if !queue.is_empty() {
            queue.push(SEPARATOR);
        }
        queue.extend_from_slice(packet);
    }

    /// Sends an attachment of the packet before it.
    pub(crate) fn send_attachment(&mut self, who: ClientId, bytes: &[u8]) {
        match self.socket_of(who) {
            Some(id) => frame::encode(self.net.out(id), opcode::BINARY, bytes),
            None => self.send(who, &bytes::packet(bytes)),
        }
    }

    /// Posts what waits, if there is something and no post is outstanding.
    pub(crate) fn post(&mut self, who: ClientId) {
        let client = &self.clients[who.index()];
        if client.queue.is_empty() || client.socket.is_some() || client.stage != Stage::Up {
            return;
        }
        let Some(id) = client.post.or_else(|| self.open(who, Role::Post)) else { return };
        let client = &mut self.clients[who.index()];
        client.post = Some(id);
        if self.net[id].state == State::Free {
            let end = fitting(&client.queue, self.max_payload);
            if end == client.queue.len() {
                mem::swap(&mut client.queue, &mut client.spare);
            } else {
                client.spare.extend(client.queue.drain(..=end).take(end));
            }
            self.requests.post(self.net.request(id), &client.sid, &client.spare);
            client.spare.clear();
        }
    }

    pub(super) fn poll(&mut self, who: ClientId, id: ConnectionId) {
        self.requests.poll(self.net.request(id), &self.clients[who.index()].sid);
    }
}

/// Bytes of as many whole packets as one post may have, of one at least.
fn fitting(queue: &[u8], longest: usize) -> usize {
    if queue.len() <= longest {
        return queue.len();
    }
    let last = memrchr(SEPARATOR, &queue[..=longest]);
    last.or_else(|| memchr(SEPARATOR, queue)).unwrap_or(queue.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_has_as_many_whole_packets_as_fit() {
        let queue = b"4aaa\x1e4bbb\x1e4ccc";
        for (longest, end) in [(1, 4), (4, 4), (8, 4), (9, 9), (13, 9), (14, 14), (100, 14)] {
            assert_eq!(fitting(queue, longest), end, "{longest}");
        }
        assert_eq!(fitting(b"4aaa", 1), 4, "one is sent however long it is");
    }
}
