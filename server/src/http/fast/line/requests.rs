//! What a request of the fast front begins. Everything is asked in the order in which the other front asks it, and whatever
//! that would refuse is foreign here as long as nothing has come of it.

use super::{Body, Doing, Line, Manner, Refusal, Switch, Then, Writing};
use crate::http::answer::Refused;
use crate::http::cors::{self, Origin};
use crate::http::fast::head::{self, Head, Kind, Seen, Slots};
use crate::http::fast::write;
use crate::http::headers::Headers;
use crate::http::polling::{self, Content};
use crate::http::upgrade::{self, Accepted};
use crate::http::{deflates, handshake, version};
use crate::session::{Answer, Form, Hub, Post, Purpose, Session, Upgrade};
use axum::http::HeaderValue;
use encke_protocol::engine::{Query, Transport, Version};
use std::sync::Arc;

/// The answer to a WebSocket handshake is rarely longer.
const GREETING_BYTES: usize = 320;

/// What the bytes of a connection begin.
pub(super) enum Begun {
    Incomplete,
    /// Something for hyper.
    Foreign,
    /// A request, for which so many bytes were taken.
    Taken {
        taken: usize,
        doing: Doing,
    },
}

/// A request that is not hyper's so far.
struct Request<'a> {
    hub: &'a Arc<Hub>,
    headers: Headers<'a>,
    query: Query<'a>,
    origin: Origin,
    version: Version,
}

impl Line {
    /// Looks for a request, and begins with it.
    pub(super) fn begin(&self, bytes: &[u8]) -> Begun {
        let mut slots = Slots::default();
        match head::read(&self.place.shared.path, bytes, &mut slots) {
            Seen::Incomplete => Begun::Incomplete,
            Seen::Foreign => Begun::Foreign,
            Seen::Request(head) => match self.request(&head, &bytes[head.length..]) {
                Some((body, doing)) => Begun::Taken { taken: head.length + body, doing },
                None => Begun::Foreign,
            },
        }
    }

    /// How many of the bytes behind the head are taken with it, and what is begun.
    fn request(&self, head: &Head<'_, '_>, behind: &[u8]) -> Option<(usize, Doing)> {
        let hub = &self.place.shared.hub;
        let headers = Headers::Lines(head.headers);
        let query = Query::decode(head.query).ok().filter(|query| query.jsonp.is_none())?;
        let origin = cors::judge(&hub.config, headers, cors::Asks::Plain).ok()?;
        if !hub.config.transports.contains(&query.transport) {
            return None;
        }
        let session = match query.sid {
            Some(sid) => Some(hub.find(sid)?),
            None => None,
        };
        let version = version(&hub.config, &query, session.as_deref()).ok()?;
        let request = Request { hub, headers, query, origin, version };
        let handshake = || handshake::keep(&hub.config, head.target, headers, Some(self.remote), false).ok();
        match (query.transport, head.kind, session) {
            (Transport::WebSocket, Kind::Upgrade, Some(session)) => {
                request.websocket(|_| Upgrade::begin(session).ok().map(Purpose::Upgrade))
            }
            (Transport::WebSocket, Kind::Upgrade, None) => {
                request.websocket(|request| Some(Purpose::Open(request.version, handshake()?)))
            }
            (Transport::Polling, Kind::Get, Some(session)) => request.poll(session, None),
            (Transport::Polling, Kind::Get, None) if !hub.is_full() => {
                let (session, cookie) = polling::open(hub, version, None, handshake()?).ok()?;
                request.poll(session, cookie)
            }
            (Transport::Polling, Kind::Post(length), Some(session)) => request.post(session, length, behind),
            _ => None,
        }
    }
}

/// Hands the body of a post to its session.
pub(super) fn taken(
    hub: &Hub,
    post: Post,
    content: Content,
    body: &[u8],
    manner: Option<Box<Manner>>,
) -> Doing {
    let payload = polling::payload(body, content);
    let is_too_long = |payload| polling::is_too_long(payload, &hub.config.limits, post.version(), None);
    if payload.as_ref().is_some_and(is_too_long) {
        post.refuse();
        return refused(Refused::TooLarge, manner, false);
    }
    let result = post.read(payload);
    Doing::Taken { post, result, manner }
}

fn refused(why: Refused, manner: Option<Box<Manner>>, ends: bool) -> Doing {
    Doing::Refused(Box::new(Refusal { why, manner, ends }))
}

impl Request<'_> {
    /// A WebSocket, unless no purpose can be made for it.
    fn websocket(self, purpose: impl FnOnce(&Self) -> Option<Purpose>) -> Option<(usize, Doing)> {
        let deflates = deflates(&self.hub.config, self.version);
        let Accepted { mut reply, deflate } = upgrade::switch(self.headers, deflates.is_some()).ok()?;
        let form = match deflate.zip(deflates) {
            Some((window_bits, threshold)) => Form::Deflated { window_bits, threshold },
            None => Form::of(self.version, self.query.base64),
        };
        if self.query.sid.is_none() && self.hub.is_full() {
            return None;
        }
        let purpose = purpose(&self)?;
        self.origin.mark(reply.headers_mut());
        let mut greeting = Vec::with_capacity(GREETING_BYTES);
        write::whole(&reply, false, &mut greeting);
        // Its session speaks first, in bytes that stand as they are behind those of the answer.
        let joined = form == Form::Plain && matches!(purpose, Purpose::Open(..));
        let doing = if joined {
            Doing::Switch(Box::new(Switch { greeting, purpose, form }))
        } else {
            let then = Then::Switch(Box::new(Switch { greeting: Vec::new(), purpose, form }));
            Doing::Write(Box::new(Writing { bytes: greeting, written: 0, then, _busy: None }))
        };
        Some((0, doing))
    }

    fn poll(self, session: Arc<Session>, cookie: Option<HeaderValue>) -> Option<(usize, Doing)> {
        if session.jsonp().is_some() {
            return None;
        }
        let coding = polling::coding(&self.hub.config, self.headers);
        let compresses = self.hub.config.http_compression.is_some();
        let manner = Manner { origin: self.origin, coding, cookie };
        let manner = (compresses || !manner.is_plain()).then(|| Box::new(manner));
        Some((
            0,
            match Answer::open(session) {
                Ok(answer) => Doing::Poll { answer, manner },
                Err(error) => refused(error.into(), manner, false),
            },
        ))
    }

    fn post(self, session: Arc<Session>, length: usize, behind: &[u8]) -> Option<(usize, Doing)> {
        let (limits, version) = (&self.hub.config.limits, session.version());
        if session.jsonp().is_some() || length > polling::longest_body(limits, version, None) {
            return None;
        }
        let content = polling::content(self.headers, version).ok()?;
        let manner = Manner { origin: self.origin, coding: None, cookie: None };
        let manner = (!manner.is_plain()).then(|| Box::new(manner));
        let body = behind.get(..length);
        Some(match (Post::open(session), body) {
            (Ok(post), Some(body)) => (length, taken(self.hub, post, content, body, manner)),
            (Ok(post), None) => (0, Doing::Body(Box::new(Body { post, content, length, manner }))),
            // What is still on its way is no request.
            (Err(error), body) => {
                (body.map_or(0, <[u8]>::len), refused(error.into(), manner, body.is_none()))
            }
        })
    }
}
