//! One connection of the fast front, as a task: a request, its answer, the next request.
//!
//! Owns the socket and what was read and not taken. Idle it keeps no buffer. Requests that come before they are asked for
//! wait unread, or as the one piece that was read with the one before. A connection that ends while its answer is not
//! there takes the request with it.

mod answers;
mod requests;

use super::Place;
use crate::http::answer::{self, Refused};
use crate::http::compression::Coding;
use crate::http::cors::Origin;
use crate::http::listener::Connection;
use crate::http::polling::{self, Content};
use crate::session::{self, Answer, Busy, Driver, Form, Io, Post, Purpose};
use axum::http::HeaderValue;
use encke_protocol::engine::RequestError;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// For the rest of a head to come that may be plain. As hyper has it where it is given a timer, which axum does not do.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Steps before other connections have their turn.
const MAX_STEPS: usize = 16;

/// A connection by what it speaks.
pub(super) enum Task {
    /// Boxed, so that the task of a WebSocket keeps no room for it.
    Http(Box<Line>),
    /// Handed over to its session.
    WebSocket(Driver),
    Over,
}

// As for a driver alone: what is larger makes a task of 256 bytes in place of 128.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Task>() <= 24);

pub(super) struct Line {
    place: Place,
    stream: TcpStream,
    remote: SocketAddr,
    /// Read and not taken.
    unread: Vec<u8>,
    doing: Doing,
}

/// Small, as it is kept for each connection: what seldom lasts is in a box.
enum Doing {
    /// It has not begun.
    New,
    /// Waits for a request, and no longer than that if its beginning is there.
    Idle(Option<Pin<Box<Sleep>>>),
    /// A poll waits for something to say.
    Poll { answer: Answer, manner: Option<Box<Manner>> },
    /// A post waits for the rest of its body.
    Body(Box<Body>),
    /// A post is taken, and the session reads no more for now.
    Taken { post: Post, result: Result<(), RequestError>, manner: Option<Box<Manner>> },
    /// A request is refused of which something has come.
    Refused(Box<Refusal>),
    /// The socket did not take the whole answer at once.
    Write(Box<Writing>),
    /// The answer is written behind which the connection is a WebSocket, or stands before what is said there first.
    Switch(Box<Switch>),
}

struct Body {
    post: Post,
    content: Content,
    length: usize,
    manner: Option<Box<Manner>>,
}

struct Refusal {
    why: Refused,
    manner: Option<Box<Manner>>,
    /// What comes behind it is no request.
    ends: bool,
}

struct Writing {
    bytes: Vec<u8>,
    written: usize,
    then: Then,
    /// Dropped with the rest.
    _busy: Option<Busy>,
}

/// What an answer says beside its body, where that is not the same for all.
struct Manner {
    origin: Origin,
    coding: Option<Coding>,
    cookie: Option<HeaderValue>,
}

impl Manner {
    /// Whether nothing is to be said.
    fn is_plain(&self) -> bool {
        matches!(self, Self { origin: Origin::Own, coding: None, cookie: None })
    }
}

enum Then {
    Next,
    Close,
    Switch(Box<Switch>),
}

struct Switch {
    /// Written with what the session says first.
    greeting: Vec<u8>,
    purpose: Purpose,
    form: Form,
}

/// What becomes of a connection.
enum Turn {
    Over,
    /// It is hyper's.
    Foreign,
    WebSocket(Box<Switch>),
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let turn = match &mut *self {
                Self::Http(line) => ready!(line.advance(cx)),
                Self::WebSocket(driver) => return Pin::new(driver).poll(cx),
                Self::Over => return Poll::Ready(()),
            };
            let Self::Http(line) = std::mem::replace(&mut *self, Self::Over) else { return Poll::Ready(()) };
            *self = match turn {
                Turn::Over => Self::Over,
                Turn::Foreign => line.hand_over(),
                Turn::WebSocket(switch) => line.switch(*switch),
            };
        }
    }
}

impl Line {
    pub(super) fn new(place: Place, stream: TcpStream, remote: SocketAddr) -> Self {
        Self { place, stream, remote, unread: Vec::new(), doing: Doing::New }
    }

    fn hand_over(self) -> Task {
        let Self { place, stream, remote, unread, .. } = self;
        // Without a listener there is nobody to serve it.
        let _ = place.shared.handed.send((Connection::begun(stream, unread), remote));
        Task::Over
    }

    fn switch(self, switch: Switch) -> Task {
        let Self { place, stream, unread, .. } = self;
        let Switch { greeting, purpose, form } = switch;
        // None when the server has become full or is closing: the connection ends.
        session::drive(&place.shared.hub, Io::Tcp(stream), unread, purpose, form, greeting)
            .map_or(Task::Over, Task::WebSocket)
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        for _ in 0..MAX_STEPS {
            if let Some(turn) = ready!(self.step(cx)) {
                return Poll::Ready(turn);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn step(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn>> {
        match std::mem::replace(&mut self.doing, Doing::Idle(None)) {
            Doing::New => Poll::Ready((!self.place.enter(cx.waker())).then_some(Turn::Over)),
            Doing::Idle(until) => self.idle(cx, until),
            Doing::Poll { answer, manner } => self.fetch(cx, answer, manner),
            Doing::Body(body) => self.complete(cx, body),
            Doing::Refused(refusal) => {
                let Refusal { why, manner, ends } = *refusal;
                Poll::Ready(self.reply(why.into_reply(), manner, ends, None))
            }
            Doing::Taken { mut post, result, manner } => {
                if post.poll_read(cx).is_pending() {
                    self.doing = Doing::Taken { post, result, manner };
                    return self.watch(cx);
                }
                Poll::Ready(match (result, manner) {
                    (Ok(()), None) => self.text("ok", None),
                    (Ok(()), manner) => self.reply(answer::text("ok".into()), manner, false, None),
                    (Err(error), manner) => {
                        self.reply(Refused::from(error).into_reply(), manner, false, None)
                    }
                })
            }
            Doing::Write(writing) => self.write(cx, writing),
            Doing::Switch(switch) => Poll::Ready(Some(Turn::WebSocket(switch))),
        }
    }

    /// Waits for a request.
    fn idle(&mut self, cx: &mut Context<'_>, until: Option<Pin<Box<Sleep>>>) -> Poll<Option<Turn>> {
        if self.place.is_closing() {
            return Poll::Ready(Some(Turn::Over));
        }
        if let Some(mut until) = until {
            if until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Some(Turn::Over));
            }
            self.doing = Doing::Idle(Some(until));
        } else if !self.unread.is_empty() {
            // Read with the one before.
            let unread = std::mem::take(&mut self.unread);
            return Poll::Ready(self.look(&unread));
        }
        self.read(cx)
    }

    /// Waits for the rest of a body, as long as the session does.
    fn complete(&mut self, cx: &mut Context<'_>, body: Box<Body>) -> Poll<Option<Turn>> {
        if self.unread.len() >= body.length {
            let Body { post, content, length, manner } = *body;
            let rest = self.unread.split_off(length);
            let body = std::mem::replace(&mut self.unread, rest);
            self.doing = requests::taken(&self.place.shared.hub, post, content, &body, manner);
            return Poll::Ready(None);
        }
        if body.post.poll_ended(cx).is_ready() {
            let refusal = Refusal { why: RequestError::BadRequest.into(), manner: body.manner, ends: true };
            self.doing = Doing::Refused(Box::new(refusal));
            return Poll::Ready(None);
        }
        self.doing = Doing::Body(body);
        self.read(cx)
    }

    /// Waits for what a poll is answered with.
    fn fetch(
        &mut self,
        cx: &mut Context<'_>,
        mut answer: Answer,
        manner: Option<Box<Manner>>,
    ) -> Poll<Option<Turn>> {
        let busy = Busy::new(&self.place.shared.hub);
        match Pin::new(&mut answer).poll(cx) {
            Poll::Ready(payload) => Poll::Ready(match manner {
                None => self.text(&payload, Some(busy)),
                Some(mut manner) => {
                    let config = &self.place.shared.hub.config;
                    let mut reply = polling::fetched(config, payload, None, manner.coding);
                    polling::set(manner.cookie.take(), &mut reply);
                    self.reply(reply, Some(manner), false, Some(busy))
                }
            }),
            Poll::Pending => {
                self.doing = Doing::Poll { answer, manner };
                self.watch(cx)
            }
        }
    }

    /// While a request waits for its answer, its connection may end. A request that comes behind it is kept; then nothing
    /// more is read.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn>> {
        while self.unread.is_empty() {
            if let Some(turn) = ready!(self.read(cx)) {
                return Poll::Ready(Some(turn));
            }
        }
        Poll::Pending
    }

    /// Reads once. What comes is looked at when a request is awaited, else kept.
    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Option<Turn>> {
        session::with_scratch(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
            let bytes = match ready!(polled) {
                Ok(()) if !buffer.filled().is_empty() => buffer.filled(),
                Ok(()) | Err(_) => return Poll::Ready(Some(Turn::Over)),
            };
            Poll::Ready(match &self.doing {
                Doing::Idle(_) if self.unread.is_empty() => self.look(bytes),
                Doing::Idle(_) => {
                    let mut unread = std::mem::take(&mut self.unread);
                    unread.extend_from_slice(bytes);
                    self.look(&unread)
                }
                _ => {
                    self.unread.extend_from_slice(bytes);
                    None
                }
            })
        })
    }

    /// Looks for a request in what was read, all of it. What is not taken becomes unread again.
    fn look(&mut self, bytes: &[u8]) -> Option<Turn> {
        match self.begin(bytes) {
            requests::Begun::Foreign => {
                self.unread = bytes.to_vec();
                Some(Turn::Foreign)
            }
            requests::Begun::Incomplete => {
                self.unread = bytes.to_vec();
                // From its first byte on.
                let until = match std::mem::replace(&mut self.doing, Doing::Idle(None)) {
                    Doing::Idle(Some(until)) => until,
                    _ => Box::pin(tokio::time::sleep(HEAD_TIMEOUT)),
                };
                self.doing = Doing::Idle(Some(until));
                None
            }
            requests::Begun::Taken { taken, doing } => {
                self.unread = bytes[taken..].to_vec();
                self.doing = doing;
                None
            }
        }
    }
}
