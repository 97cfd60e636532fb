//! How clients come, join, leave and fail.

use super::client::{ClientId, Stage, Transport};
use super::{Crowd, Work};
use crate::clock::{Nanos, now};
use crate::frame::opcode;
use crate::net::{ConnectionId, Role, State};

/// The close code of a WebSocket that has served its purpose.
const NORMAL: [u8; 2] = 1_000_u16.to_be_bytes();

impl Crowd {
    /// Starts those who wait, as many as may be busy at once.
    pub(crate) fn start_waiting(&mut self) {
        while self.busy < self.at_once {
            let Some(who) = self.waiting.pop_front() else { return };
            self.start(who);
            self.net.write();
        }
    }

    fn start(&mut self, who: ClientId) {
        self.busy += 1;
        let client = &mut self.clients[who.index()];
        client.since = now();
        client.sid.clear();
        client.queue.clear();
        client.stage = Stage::Opening;
        let begun = match client.transport {
            Transport::WebSocket => self.start_socket(who),
            Transport::Polling | Transport::Upgrade => self.start_polling(who),
            Transport::Page => self.ask(who),
        };
        if !begun {
            self.fail(who);
        }
    }

    fn start_socket(&mut self, who: ClientId) -> bool {
        let Some(id) = self.open(who, Role::Socket) else { return false };
        self.clients[who.index()].socket = Some(id);
        self.requests.upgrade(self.net.request(id), "");
        true
    }

    fn start_polling(&mut self, who: ClientId) -> bool {
        let poll = self.clients[who.index()].poll;
        let Some(id) = poll.or_else(|| self.open(who, Role::Poll)) else { return false };
        self.clients[who.index()].poll = Some(id);
        self.poll(who, id);
        true
    }

    /// Asks for the page, unless the last one has not come yet.
    pub(crate) fn ask(&mut self, who: ClientId) -> bool {
        let poll = self.clients[who.index()].poll;
        // The server may have closed the connection between two pages.
        let Some(id) = poll.or_else(|| self.open(who, Role::Poll)) else { return false };
        self.clients[who.index()].poll = Some(id);
        let free = self.net[id].state == State::Free;
        if free {
            self.requests.page(self.net.request(id));
        }
        free
    }

    pub(super) fn open(&mut self, who: ClientId, role: Role) -> Option<ConnectionId> {
        let opened = self.net.open(who, role);
        opened.map_err(|error| self.error(format!("no connection can be opened: {error}"))).ok()
    }

    /// The session is open: asks for the namespace.
    pub(super) fn opened(&mut self, who: ClientId, sid: &str) {
        let client = &mut self.clients[who.index()];
        client.sid.push_str(sid);
        client.stage = if client.socket.is_some() { Stage::Joining } else { Stage::Asking };
        match client.poll {
            Some(id) => self.requests.post(self.net.request(id), sid, b"40"),
            None => self.send(who, b"40"),
        }
    }

    /// The namespace is joined.
    pub(super) fn entered(&mut self, work: &mut impl Work, who: ClientId) {
        if self.clients[who.index()].transport != Transport::Upgrade {
            return self.connected(work, who);
        }
        self.clients[who.index()].stage = Stage::Probing;
        let Some(id) = self.open(who, Role::Socket) else { return self.fail(who) };
        let client = &mut self.clients[who.index()];
        client.probe = Some(id);
        self.requests.upgrade(self.net.request(id), &client.sid);
    }

    /// The WebSocket is there. A client that upgrades tries it first.
    pub(super) fn has_socket(&mut self, who: ClientId, id: ConnectionId) {
        self.net[id].state = State::Frames;
        let client = &mut self.clients[who.index()];
        if client.probe == Some(id) {
            client.socket = client.probe.take();
            self.send(who, b"2probe");
        }
    }

    /// Upgrades once the probe is answered and no poll is pending any more, and sends a first event.
    pub(super) fn upgrade(&mut self, who: ClientId) {
        let client = &self.clients[who.index()];
        let free = client.poll.is_some_and(|id| self.net[id].state == State::Free);
        if client.stage == Stage::Probed && free {
            self.clients[who.index()].stage = Stage::Upgraded;
            self.send(who, b"5");
            self.send(who, br#"420["echo","x"]"#);
        }
    }

    pub(super) fn connected(&mut self, work: &mut impl Work, who: ClientId) {
        let client = &mut self.clients[who.index()];
        self.tally.connecting.saturating_record(now() - client.since);
        client.stage = Stage::Up;
        self.busy -= 1;
        self.tally.connected += 1;
        work.joined(self, who);
    }

    /// A client that is connected says goodbye.
    pub(crate) fn leave(&mut self, who: ClientId) {
        self.busy += 1;
        self.tally.connected -= 1;
        let client = &mut self.clients[who.index()];
        client.stage = Stage::Leaving;
        if let Some(id) = client.socket {
            let out = self.net.out(id);
            crate::frame::encode(out, opcode::TEXT, b"41");
            crate::frame::encode(out, opcode::CLOSE, &NORMAL);
        } else if let Some(id) = client.poll {
            // It is free: the poll that brought the namespace has been answered.
            self.requests.post(self.net.request(id), &client.sid, b"41\x1e1");
        }
    }

    /// The server has taken the goodbye.
    pub(super) fn left(&mut self, who: ClientId) {
        self.tally.cycles += 1;
        self.busy -= 1;
        let client = &mut self.clients[who.index()];
        client.stage = Stage::Off;
        if let Some(id) = client.socket.take() {
            self.net.close(id);
        }
        if self.again {
            self.waiting.push_back(who);
        }
    }

    /// It is of no more use: its connections are closed.
    pub(super) fn fail(&mut self, who: ClientId) {
        let client = &mut self.clients[who.index()];
        let stage = std::mem::replace(&mut client.stage, Stage::Off);
        client.disconnect().into_iter().flatten().for_each(|id| self.net.close(id));
        match stage {
            Stage::Off => return,
            Stage::Up => {
                self.tally.connected -= 1;
                self.tally.dropped += 1;
            }
            _ => self.busy -= 1,
        }
        if self.again {
            self.waiting.push_back(who);
        }
    }

    /// Gives up those who have been connecting or leaving for longer than that.
    pub(crate) fn give_up_stuck(&mut self, longest: Nanos) {
        let now = now();
        for who in self.everybody() {
            let client = &self.clients[who.index()];
            let stage = client.stage;
            if !matches!(stage, Stage::Off | Stage::Up) && now - client.since > longest {
                self.error(format!("client {} is stuck: {stage:?}", who.index()));
                self.fail(who);
            }
        }
    }
}
