//! The two requests of long-polling: the GET that waits for a payload, and the POST that brings one.
//!
//! Owns in which form a payload travels: as text, or for a session that was opened so as scripts and forms ("JSONP"). The
//! request that opens a session fixes that for its life. What a payload means is the session's business.
//!
//! | session | GET is answered by | POST holds | POST is answered by |
//! |---|---|---|---|
//! | opened without `j` | `text/plain`, the payload | `text/plain` or no type, the payload | `text/plain`, `ok` |
//! | opened with `j=N` | `text/javascript`, a script that calls function N | a form whose field `d` is the payload | `text/html`, `ok`, which a frame shows |
//!
//! A client of Engine.IO v3 may post `application/octet-stream` too; it is answered by text, which all of them read.
//!
//! | wrong | answer | a session without `j` | one with `j=N` |
//! |---|---|---|---|
//! | `j` that is no number of 32 bits | 400, Bad request | goes on | goes on |
//! | `j` in a session opened without, no `j` or another in one opened with it | 400, Bad request | goes on | goes on |
//! | another content type | 400, Bad request | goes on | ends |
//! | a payload longer than `max_payload` ([`BASE64_SLACK`] apart), or a form that could not hold a shorter one | 413 | goes on | ends |
//! | what is not UTF-8; in a form no field `d` or two, a `%` without two hexadecimal digits | 400, Bad request | ends | ends |
//!
//! Whoever posts a form from another origin cannot read whether it was taken, and goes on with the next. So what is in
//! one is taken, or the session ends, which the page hears by its script.

use super::answer::{self, Refused, Reply};
use super::compression::Coding;
use super::headers::Headers;
use super::{form, handshake};
use crate::config::{Config, Limits};
use crate::namespace::Handshake;
use crate::session::{Answer, Hub, Post, Session};
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use encke_protocol::engine::jsonp::{self, Index};
use encke_protocol::engine::{Data, RequestError, Transport, Version, payload};
use http_body_util::{BodyExt, Limited};
use std::borrow::Cow;
use std::sync::Arc;

/// Official clients of v4 fill a body up to `max_payload`, but count a byte in base64 as 1.33 bytes and not as 4/3: what
/// they send may be longer by one part in so many.
const BASE64_SLACK: usize = 256;

pub(super) async fn serve(
    hub: &Arc<Hub>,
    session: Option<Arc<Session>>,
    version: Version,
    jsonp: Option<Index>,
    parts: &mut Parts,
    body: Body,
) -> Result<Reply, Refused> {
    if jsonp.is_some() && !hub.config.jsonp {
        return Err(RequestError::TransportUnknown.into());
    }
    let Some(session) = session else {
        if parts.method != Method::GET {
            return Err(RequestError::BadHandshakeMethod.into());
        }
        if hub.is_full() {
            return Err(Refused::Full);
        }
        hub.config.hooks.allow(parts).await?;
        let handshake = handshake::read(&hub.config, parts)?;
        let (session, cookie) = open(hub, version, jsonp, handshake)?;
        let mut reply = poll(hub, session, jsonp, (&parts.headers).into()).await?;
        set(cookie, &mut reply);
        return Ok(reply);
    };
    if session.jsonp() != jsonp {
        return Err(RequestError::BadRequest.into());
    }
    if parts.method == Method::GET {
        poll(hub, session, jsonp, (&parts.headers).into()).await
    } else if parts.method == Method::POST {
        post(hub, session, jsonp, (&parts.headers).into(), body).await
    } else {
        Err(RequestError::BadRequest.into())
    }
}

/// Opens a session, and makes the cookie that names it.
///
/// # Errors
/// The server is full or closing.
pub(super) fn open(
    hub: &Arc<Hub>,
    version: Version,
    jsonp: Option<Index>,
    handshake: Handshake,
) -> Result<(Arc<Session>, Option<HeaderValue>), Refused> {
    let session = hub.open(version, Transport::Polling, jsonp, handshake).ok_or(Refused::Full)?;
    let cookie = hub.config.cookie.as_ref().map(|cookie| cookie.header(&session.name()));
    Ok((session, cookie))
}

pub(super) fn set(cookie: Option<HeaderValue>, reply: &mut Reply) {
    if let Some(cookie) = cookie {
        reply.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}

async fn poll(
    hub: &Hub,
    session: Arc<Session>,
    jsonp: Option<Index>,
    headers: Headers<'_>,
) -> Result<Reply, Refused> {
    let answer = Answer::open(session)?;
    let coding = coding(&hub.config, headers);
    Ok(fetched(&hub.config, answer.await, jsonp, coding))
}

/// How the answer to a poll may be compressed.
pub(super) fn coding(config: &Config, headers: Headers<'_>) -> Option<Coding> {
    config.http_compression.and_then(|_| Coding::accepted(headers))
}

/// The answer to a poll.
pub(super) fn fetched(
    config: &Config,
    payload: String,
    jsonp: Option<Index>,
    coding: Option<Coding>,
) -> Reply {
    let (body, wrap): (String, fn(Bytes) -> Reply) = match jsonp {
        None => (payload, answer::text),
        Some(index) => (jsonp::script(index, &payload), answer::script),
    };
    let Some(threshold) = config.http_compression else { return wrap(body.into()) };
    let coding = coding.filter(|_| body.len() >= threshold);
    // What cannot be compressed goes out as it is.
    let encoded = coding.and_then(|coding| Some((coding.header(), coding.encode(body.as_bytes()).ok()?)));
    let mut reply = match encoded {
        Some((coding, bytes)) => {
            let mut reply = wrap(bytes.into());
            reply.headers_mut().insert(header::CONTENT_ENCODING, coding);
            reply
        }
        None => wrap(body.into()),
    };
    reply.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    reply
}

async fn post(
    hub: &Hub,
    session: Arc<Session>,
    jsonp: Option<Index>,
    headers: Headers<'_>,
    body: Body,
) -> Result<Reply, Refused> {
    let version = session.version();
    let limit = longest_body(&hub.config.limits, version, jsonp);
    let post = Post::open(session)?;
    let content = match jsonp {
        None => content(headers, version).map(Some),
        Some(_) if is_form(headers) => Ok(None),
        Some(_) => Err(RequestError::BadRequest),
    };
    let content = match content {
        Ok(content) => content,
        Err(error) => return Err(refuse(post, jsonp, error.into())),
    };
    let body = match post.unless_ended(read_body(headers, body, limit)).await.unwrap_or(Err(BodyError::Lost))
    {
        Ok(body) => body,
        Err(BodyError::TooLarge) => return Err(refuse(post, jsonp, Refused::TooLarge)),
        // Perhaps nobody hears this answer; the session, if there still is one, learns by the drop.
        Err(BodyError::Lost) => return Err(RequestError::BadRequest.into()),
    };
    let form;
    let payload = match content {
        Some(content) => payload(&body, content),
        None => {
            form = form::payload(&body);
            form.as_deref().map(Data::Text)
        }
    };
    if payload.as_ref().is_some_and(|payload| is_too_long(payload, &hub.config.limits, version, jsonp)) {
        return Err(refuse(post, jsonp, Refused::TooLarge));
    }
    post.feed(payload).await?;
    Ok(match jsonp {
        None => answer::text("ok".into()),
        Some(_) => answer::frame("ok"),
    })
}

/// Bytes of the longest payload of a post, its packets apart.
fn longest(limits: &Limits, version: Version, jsonp: Option<Index>) -> usize {
    let max_payload = limits.max_payload as usize;
    match (version, jsonp) {
        (Version::V4, None) => max_payload + max_payload / BASE64_SLACK,
        _ => max_payload,
    }
}

/// Bytes of the longest body that could hold such a payload.
pub(super) fn longest_body(limits: &Limits, version: Version, jsonp: Option<Index>) -> usize {
    match jsonp {
        None => longest(limits, version, jsonp),
        Some(_) => form::longest(limits.max_payload as usize),
    }
}

/// Longer than a payload may be, or with a packet that is longer than one may be. One of bytes is not, as long as it is in
/// base64: that adds a third.
pub(super) fn is_too_long(
    payload: &Data<'_>,
    limits: &Limits,
    version: Version,
    jsonp: Option<Index>,
) -> bool {
    let max_payload = limits.max_payload as usize;
    let is_long = |packet: &str| packet.len() > max_payload && !packet.starts_with('b');
    match payload {
        _ if payload.len() <= max_payload => false,
        Data::Text(text) if payload.len() <= longest(limits, version, jsonp) => {
            text.split(payload::SEPARATOR).any(is_long)
        }
        _ => true,
    }
}

/// What is in the post is not taken.
fn refuse(post: Post, jsonp: Option<Index>, why: Refused) -> Refused {
    match jsonp {
        None => post.refuse(),
        Some(_) => post.refuse_and_end(),
    }
    why
}

/// What a post holds that is no form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    Bytes,
}

/// The payload in a body; none when it is not UTF-8 and should be.
pub(super) fn payload(body: &[u8], content: Content) -> Option<Data<'_>> {
    match content {
        Content::Text => std::str::from_utf8(body).ok().map(Data::Text),
        Content::Bytes => Some(Data::Binary(Cow::Borrowed(body))),
    }
}

/// Payloads are text: browsers and official clients say so, small ones say nothing. Only clients of v3 post bytes.
///
/// # Errors
/// It is of another type than posts of that version are.
pub(super) fn content(headers: Headers<'_>, version: Version) -> Result<Content, RequestError> {
    match essence(headers) {
        None => Ok(Content::Text),
        Some(essence) if essence.eq_ignore_ascii_case(b"text/plain") => Ok(Content::Text),
        Some(essence)
            if version == Version::V3 && essence.eq_ignore_ascii_case(b"application/octet-stream") =>
        {
            Ok(Content::Bytes)
        }
        Some(_) => Err(RequestError::BadRequest),
    }
}

/// Only forms have a field.
fn is_form(headers: Headers<'_>) -> bool {
    essence(headers).is_some_and(|essence| essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded"))
}

/// The type of a body without its parameters; nothing where it is no ASCII text.
fn essence(headers: Headers<'_>) -> Option<&[u8]> {
    let content_type = headers.get(&header::CONTENT_TYPE)?;
    let end = content_type.iter().position(|byte| *byte == b';').unwrap_or(content_type.len());
    Some(if content_type.is_ascii() { content_type[..end].trim_ascii() } else { b"" })
}

enum BodyError {
    TooLarge,
    /// The connection has broken off, or the session has ended.
    Lost,
}

async fn read_body(headers: Headers<'_>, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers.text(&header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(BodyError::TooLarge);
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Lost),
    }
}
