//! The two requests of a polling client: the poll, which waits for packets, and the post, which brings some.
//!
//! Both tell the session when they end, also when their connection breaks off.

use super::state::Payload;
use super::{After, Session};
use crate::turn;
use encke_protocol::engine::server::Input;
use encke_protocol::engine::{Data, Packet, PacketError, RequestError, Transport, Version, payload, v3};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A poll that waits. Its output is the body of the answer.
pub(crate) struct Answer(Request);

impl Answer {
    /// # Errors
    /// The session takes no poll now, or this one has ended it since another is waiting.
    pub(crate) fn open(session: Arc<Session>) -> Result<Self, RequestError> {
        Request::open(session, Input::PollOpened).map(Self)
    }
}

impl Future for Answer {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        let session = &self.0.session;
        let limit = session.hub.config.limits.max_payload as usize;
        let payload = {
            let mut state = crate::lock(&session.state);
            let payload = state.take_payload(limit, session.version);
            if payload.is_none() {
                state.poll = Some(cx.waker().clone());
            }
            payload
        };
        let Some(Payload { body, goodbye }) = payload else { return Poll::Pending };
        self.0.end(Input::PollEnded);
        if goodbye {
            let session = &self.0.session;
            let _ = session.input(session.hub.now(), Input::GoodbyeWritten);
        }
        Poll::Ready(body)
    }
}

/// A request that the session knows of. Dropped before it has ended, its connection is gone.
struct Request {
    session: Arc<Session>,
    ended: bool,
}

impl Request {
    fn open(session: Arc<Session>, input: Input<'_>) -> Result<Self, RequestError> {
        match session.input(session.hub.now(), input) {
            Ok(After::Open) => Ok(Self { session, ended: false }),
            Ok(After::Ended) | Err(_) => Err(RequestError::BadRequest),
        }
    }

    fn end(&mut self, input: Input<'_>) {
        if !std::mem::replace(&mut self.ended, true) {
            let _ = self.session.input(self.session.hub.now(), input);
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.end(Input::RequestLost);
    }
}

/// A post whose body is on its way. A session has one at a time, so that its end is told to all.
pub(crate) struct Post(Request);

impl Drop for Post {
    fn drop(&mut self) {
        crate::lock(&self.0.session.state).posting = false;
    }
}

impl Post {
    /// # Errors
    /// The session takes no post now, or this one has ended it since another is under way.
    pub(crate) fn open(session: Arc<Session>) -> Result<Self, RequestError> {
        let is_second = {
            let mut state = crate::lock(&session.state);
            // One that is over and waits for its client to hear of it takes no notice of posts, and wakes one alone.
            if state.closed.is_some() && state.posting {
                return Err(RequestError::BadRequest);
            }
            std::mem::replace(&mut state.posting, true)
        };
        let opened = Request::open(session.clone(), Input::PostOpened).map(Self);
        if opened.is_err() && !is_second {
            crate::lock(&session.state).posting = false;
        }
        opened
    }

    /// What its client speaks.
    pub(crate) fn version(&self) -> Version {
        self.0.session.version
    }

    /// Waits for the body, or for the session's end: then none.
    pub(crate) async fn unless_ended<T>(&self, body: impl Future<Output = T>) -> Option<T> {
        let mut body = pin!(body);
        poll_fn(|cx| match body.as_mut().poll(cx) {
            Poll::Ready(body) => Poll::Ready(Some(body)),
            Poll::Pending => self.poll_ended(cx).map(|()| None),
        })
        .await
    }

    /// Waits for the session's end.
    pub(crate) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = crate::lock(&self.0.session.state);
        if state.dropped {
            return Poll::Ready(());
        }
        state.post = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Gives up a post whose body is refused unread.
    pub(crate) fn refuse(mut self) {
        self.0.end(Input::PostEnded);
    }

    /// As [`Self::refuse`], and ends the session: its client may not hear that something was lost.
    pub(crate) fn refuse_and_end(mut self) {
        self.malformed();
        self.0.end(Input::PostEnded);
    }

    /// Hands the packets in the payload to the session, then waits until the session would read more. The body may have
    /// held none.
    ///
    /// # Errors
    /// The payload holds what the session does not take; mostly that has ended it.
    pub(crate) async fn feed(mut self, payload: Option<Data<'_>>) -> Result<(), RequestError> {
        let result = self.read(payload);
        poll_fn(|cx| self.poll_read(cx)).await;
        result
    }

    /// As [`Self::feed`], without the wait, which is [`Self::poll_read`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn read(&self, payload: Option<Data<'_>>) -> Result<(), RequestError> {
        turn::run(|| {
            let max_packets = self.0.session.hub.config.limits.max_packets;
            let payload = payload.ok_or_else(|| self.malformed())?;
            match (self.0.session.version, &payload) {
                (Version::V3, payload) => self.packets(v3::decode_payload(payload, max_packets)),
                (Version::V4, Data::Text(text)) => self.packets(payload::decode(text, max_packets)),
                (Version::V4, Data::Binary(_)) => Err(self.malformed()),
            }
        })
    }

    /// Waits until the session would read more; then the post is over.
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = crate::lock(&self.0.session.state);
        if state.is_paused() && !state.dropped {
            state.post = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        self.0.end(Input::PostEnded);
        Poll::Ready(())
    }

    fn packets<'a>(
        &self,
        packets: impl Iterator<Item = Result<Packet<'a>, PacketError>>,
    ) -> Result<(), RequestError> {
        let now = self.0.session.hub.now();
        for packet in packets {
            let packet = packet.map_err(|_| self.malformed())?;
            let goodbye = packet == Packet::Close;
            match self.0.session.input(now, Input::Packet(Transport::Polling, packet)) {
                Ok(After::Open) => {}
                Ok(After::Ended) if goodbye => return Ok(()),
                Ok(After::Ended) | Err(_) => return Err(RequestError::BadRequest),
            }
        }
        Ok(())
    }

    /// The body is not what it should be, which ends the session.
    fn malformed(&self) -> RequestError {
        let _ = self.0.session.input(self.0.session.hub.now(), Input::Malformed(Transport::Polling));
        RequestError::BadRequest
    }
}
