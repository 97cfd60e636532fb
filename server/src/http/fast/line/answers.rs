//! How a connection of the fast front answers: by one call, with all there is to say, unless its socket is full.

use super::{Doing, Line, Manner, Then, Turn, Writing};
use crate::http::answer::Reply;
use crate::http::cors::Origin;
use crate::http::fast::write;
use crate::session::Busy;
use std::cell::Cell;
use std::io;
use std::task::{Context, Poll};

/// A buffer for answers that is larger is given back.
const KEPT_BYTES: usize = 64 * 1024;

thread_local! {
    /// For answers on their way from the queue to the socket.
    static OUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Line {
    /// Answers with a text about whose reader nothing is to be said.
    pub(super) fn text(&mut self, text: &str, busy: Option<Busy>) -> Option<Turn> {
        let mut out = OUT.take();
        out.clear();
        let last = self.place.is_closing();
        out.extend_from_slice(&self.place.shared.plain);
        write::frame(text.len(), last, &mut out);
        out.extend_from_slice(text.as_bytes());
        self.send(out, if last { Then::Close } else { Then::Next }, busy)
    }

    pub(super) fn reply(
        &mut self,
        mut reply: Reply,
        manner: Option<Box<Manner>>,
        ends: bool,
        busy: Option<Busy>,
    ) -> Option<Turn> {
        manner.map_or(Origin::Own, |manner| manner.origin).mark(reply.headers_mut());
        let mut out = OUT.take();
        out.clear();
        let last = write::whole(&reply, self.place.is_closing(), &mut out);
        self.send(out, if last || ends { Then::Close } else { Then::Next }, busy)
    }

    /// Writes an answer, by one call unless the socket is full.
    fn send(&mut self, mut out: Vec<u8>, then: Then, busy: Option<Busy>) -> Option<Turn> {
        let written = match self.stream.try_write(&out) {
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => return Some(Turn::Over),
        };
        if written < out.len() {
            let writing = Writing { bytes: std::mem::take(&mut out), written, then, _busy: busy };
            self.doing = Doing::Write(Box::new(writing));
            return None;
        }
        if out.capacity() <= KEPT_BYTES {
            OUT.set(out);
        }
        self.follow(then)
    }

    pub(super) fn write(&mut self, cx: &mut Context<'_>, mut writing: Box<Writing>) -> Poll<Option<Turn>> {
        while writing.written < writing.bytes.len() {
            match self.stream.poll_write_ready(cx) {
                Poll::Pending => {
                    self.doing = Doing::Write(writing);
                    return Poll::Pending;
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Some(Turn::Over)),
                Poll::Ready(Ok(())) => match self.stream.try_write(&writing.bytes[writing.written..]) {
                    Ok(count) => writing.written += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Poll::Ready(Some(Turn::Over)),
                },
            }
        }
        Poll::Ready(self.follow(writing.then))
    }

    fn follow(&mut self, then: Then) -> Option<Turn> {
        self.doing = Doing::Idle(None);
        match then {
            Then::Next => None,
            Then::Close => Some(Turn::Over),
            Then::Switch(switch) => Some(Turn::WebSocket(switch)),
        }
    }
}
