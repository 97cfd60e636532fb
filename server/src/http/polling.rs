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

use super::answer::{self, Refused};
use super::compression::Coding;
use super::{form, handshake};
use crate::session::{Answer, Hub, Post, Session};
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;
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
) -> Result<Response, Refused> {
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
        let session = hub.open(version, Transport::Polling, jsonp, handshake).ok_or(Refused::Full)?;
        let cookie = hub.config.cookie.as_ref().map(|cookie| cookie.header(&session.name()));
        let mut response = poll(hub, session, jsonp, &parts.headers).await?;
        if let Some(cookie) = cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        return Ok(response);
    };
    if session.jsonp() != jsonp {
        return Err(RequestError::BadRequest.into());
    }
    if parts.method == Method::GET {
        poll(hub, session, jsonp, &parts.headers).await
    } else if parts.method == Method::POST {
        post(hub, session, jsonp, &parts.headers, body).await
    } else {
        Err(RequestError::BadRequest.into())
    }
}

async fn poll(
    hub: &Hub,
    session: Arc<Session>,
    jsonp: Option<Index>,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let payload = Answer::open(session)?.await;
    let (body, wrap): (String, fn(Body) -> Response) = match jsonp {
        None => (payload, answer::text),
        Some(index) => (jsonp::script(index, &payload), answer::script),
    };
    let Some(threshold) = hub.config.http_compression else { return Ok(wrap(body.into())) };
    let coding = Coding::accepted(headers).filter(|_| body.len() >= threshold);
    // What cannot be compressed goes out as it is.
    let encoded = coding.and_then(|coding| Some((coding.header(), coding.encode(body.as_bytes()).ok()?)));
    let mut response = match encoded {
        Some((coding, bytes)) => {
            let mut response = wrap(bytes.into());
            response.headers_mut().insert(header::CONTENT_ENCODING, coding);
            response
        }
        None => wrap(body.into()),
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    Ok(response)
}

async fn post(
    hub: &Hub,
    session: Arc<Session>,
    jsonp: Option<Index>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    let max_payload = hub.config.limits.max_payload as usize;
    let version = session.version();
    let longest = match (version, jsonp) {
        (Version::V4, None) => max_payload + max_payload / BASE64_SLACK,
        _ => max_payload,
    };
    let limit = match jsonp {
        None => longest,
        Some(_) => form::longest(max_payload),
    };
    let post = Post::open(session)?;
    let content = match content(headers, version, jsonp) {
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
        Content::Text => std::str::from_utf8(&body).ok().map(Data::Text),
        Content::Bytes => Some(Data::Binary(Cow::Borrowed(&body[..]))),
        Content::Form => {
            form = form::payload(&body);
            form.as_deref().map(Data::Text)
        }
    };
    if payload.as_ref().is_some_and(|payload| is_too_long(payload, max_payload, longest)) {
        return Err(refuse(post, jsonp, Refused::TooLarge));
    }
    post.feed(payload).await?;
    Ok(match jsonp {
        None => answer::text("ok".into()),
        Some(_) => answer::frame("ok"),
    })
}

/// Longer than a payload may be, or with a packet that is longer than one may be. One of bytes is not, as long as it is in
/// base64: that adds a third.
fn is_too_long(payload: &Data<'_>, max_payload: usize, longest: usize) -> bool {
    let is_long = |packet: &str| packet.len() > max_payload && !packet.starts_with('b');
    match payload {
        _ if payload.len() <= max_payload => false,
        Data::Text(text) if payload.len() <= longest => text.split(payload::SEPARATOR).any(is_long),
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

/// What a post holds.
enum Content {
    Text,
    Bytes,
    Form,
}

/// Payloads are text: browsers and official clients say so, small ones say nothing. Only forms have a field, and only
/// clients of v3 post bytes.
fn content(headers: &HeaderMap, version: Version, jsonp: Option<Index>) -> Result<Content, RequestError> {
    let essence = headers.get(header::CONTENT_TYPE).map(|content_type| {
        content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim()
    });
    let is = |wanted| essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted));
    match jsonp {
        Some(_) if is("application/x-www-form-urlencoded") => Ok(Content::Form),
        None if essence.is_none() || is("text/plain") => Ok(Content::Text),
        None if version == Version::V3 && is("application/octet-stream") => Ok(Content::Bytes),
        _ => Err(RequestError::BadRequest),
    }
}

enum BodyError {
    TooLarge,
    /// The connection has broken off, or the session has ended.
    Lost,
}

async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(BodyError::TooLarge);
    }
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Lost),
    }
}
