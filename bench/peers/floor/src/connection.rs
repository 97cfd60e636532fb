//! One connection: its socket, and what is incomplete or waits. Memory is held only while there is such.

use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown, send, shutdown};

/// Bytes that may wait for one client; who lets more wait is let go.
const MAX_WAITING: usize = 64 * 1024 * 1024;

pub struct Connection {
    pub socket: OwnedFd,
    /// Whether it is a WebSocket by now.
    pub upgraded: bool,
    /// What has come of a request or frame that is not complete.
    pub incomplete: Vec<u8>,
    /// The event whose attachment has not come yet, as a frame.
    pub attached: Vec<u8>,
    /// Where it stands in the list of those who are in the namespace.
    pub place: Option<usize>,
    pub rooms: Vec<Box<[u8]>>,
    /// What there was no room for when it was written.
    waiting: Vec<u8>,
}

impl Connection {
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            upgraded: false,
            incomplete: Vec::new(),
            attached: Vec::new(),
            place: None,
            rooms: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Writes at once if nothing waits.
    pub fn send(&mut self, epoll: &OwnedFd, data: epoll::EventData, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let written = if self.waiting.is_empty() { self.write(bytes) } else { 0 };
        if written < bytes.len() {
            if self.waiting.is_empty() {
                self.listen(epoll, data, epoll::EventFlags::IN | epoll::EventFlags::OUT);
            }
            self.waiting.extend_from_slice(&bytes[written..]);
            if self.waiting.len() > MAX_WAITING {
                // Reading will tell.
                let _ = shutdown(&self.socket, Shutdown::Both);
            }
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self, epoll: &OwnedFd, data: epoll::EventData) {
        let written = self.write(&self.waiting);
        self.waiting.drain(..written);
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
            self.listen(epoll, data, epoll::EventFlags::IN);
        }
    }

    fn write(&self, bytes: &[u8]) -> usize {
        match send(&self.socket, bytes, SendFlags::NOSIGNAL) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            // Reading will tell, and nobody waits for this.
            Err(_) => bytes.len(),
        }
    }

    fn listen(&self, epoll: &OwnedFd, data: epoll::EventData, flags: epoll::EventFlags) {
        epoll::modify(epoll, &self.socket, data, flags).expect("it has been added");
    }
}
