//! The WebSocket handshake (RFC 6455 section 4.2; over HTTP/2 RFC 8441), and the socket taken out of hyper after it.
//!
//! Nothing of hyper stays with the connection: a plain TCP stream is unpacked, anything else is used through hyper's
//! own stream type.

use super::answer::{Refused, Reply, empty};
use super::extension::Deflate;
use super::headers::Headers;
use super::listener::Connection;
use crate::session::Io;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use encke_protocol::engine::{RequestError, base64};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use sha1::{Digest, Sha1};
use tokio::net::TcpStream;

/// RFC 6455 section 1.3: joined to the client's key, so that no other server answers so by chance.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A handshake that is fine.
pub(super) struct Accepted {
    pub(super) reply: Reply,
    /// Compressed messages are agreed on, whose window for the client is of so many bits.
    pub(super) deflate: Option<u8>,
}

/// Whether the request would like to become a WebSocket.
pub(super) fn is_asked(request: &Parts) -> bool {
    lists((&request.headers).into(), header::UPGRADE, "websocket") || is_extended_connect(request)
}

/// Whether the request would like to become a WebSocket among other streams of its connection.
#[cfg(feature = "http2")]
fn is_extended_connect(request: &Parts) -> bool {
    let protocol = request.extensions.get::<hyper::ext::Protocol>();
    request.method == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

#[cfg(not(feature = "http2"))]
fn is_extended_connect(_request: &Parts) -> bool {
    false
}

/// Checks the handshake and prepares its answer. With `deflates`, messages may be compressed if the client would like that.
/// With the answer comes what becomes the socket.
pub(super) fn accept(request: &mut Parts, deflates: bool) -> Result<(Accepted, OnUpgrade), Refused> {
    let headers = Headers::from(&request.headers);
    let accepted = if is_extended_connect(request) {
        agree(headers, deflates, |_| Ok(empty(StatusCode::OK)))?
    } else if request.method == Method::GET {
        switch(headers, deflates)?
    } else {
        return Err(RequestError::BadRequest.into());
    };
    // Absent where the connection cannot be upgraded: that of HTTP/2 which asks as if it were another.
    let upgraded = request.extensions.remove::<OnUpgrade>().ok_or(RequestError::BadRequest)?;
    Ok((accepted, upgraded))
}

/// As [`accept`], for a GET whose whole connection is to become a WebSocket.
pub(super) fn switch(headers: Headers<'_>, deflates: bool) -> Result<Accepted, Refused> {
    if !lists(headers, header::CONNECTION, "upgrade") {
        return Err(RequestError::BadRequest.into());
    }
    agree(headers, deflates, switching)
}

fn agree(
    headers: Headers<'_>,
    deflates: bool,
    answer: fn(Headers<'_>) -> Result<Reply, Refused>,
) -> Result<Accepted, Refused> {
    if headers.get(&header::SEC_WEBSOCKET_VERSION) != Some(b"13") {
        return Err(Refused::WebSocketVersion);
    }
    let mut reply = answer(headers)?;
    let deflate = if deflates { Deflate::offered(headers) } else { None };
    if let Some(deflate) = deflate {
        reply.headers_mut().insert(Deflate::NAME, deflate.header());
    }
    Ok(Accepted { reply, deflate: deflate.map(|deflate| deflate.window_bits) })
}

/// The answer behind which the whole connection is a WebSocket.
fn switching(headers: Headers<'_>) -> Result<Reply, Refused> {
    let key = headers.text(&header::SEC_WEBSOCKET_KEY);
    let key = key.filter(|key| base64::decode(key).is_some_and(|nonce| nonce.len() == 16));
    let accept = HeaderValue::try_from(accept_key(key.ok_or(RequestError::BadRequest)?));
    let mut response = empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept.map_err(|_| RequestError::BadRequest)?);
    Ok(response)
}

/// Waits until the answer has been written; then the socket, and bytes that came early. None when the client has gone.
pub(super) async fn take_out(upgraded: OnUpgrade) -> Option<(Io, Vec<u8>)> {
    let upgraded = upgraded.await.ok()?;
    let upgraded = match auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => {
            let stream = parts.io.into_inner();
            // Frames are small and wanted at once. A socket that refuses is about to fail anyway.
            let _ = stream.set_nodelay(true);
            return Some(plain(stream, &parts.read_buf));
        }
        Err(upgraded) => upgraded,
    };
    match auto::upgrade::downcast::<TokioIo<Connection>>(upgraded) {
        // Its listener has seen to it that nothing is delayed.
        Ok(parts) => {
            let (stream, unread) = parts.io.into_inner().into_inner();
            Some(plain(stream, &[&parts.read_buf[..], &unread].concat()))
        }
        Err(upgraded) => Some((Io::Other(Box::new(TokioIo::new(upgraded))), Vec::new())),
    }
}

fn plain(stream: TcpStream, early: &[u8]) -> (Io, Vec<u8>) {
    // Copied, since it is mostly empty but would keep hyper's whole buffer alive.
    (Io::Tcp(stream), early.to_vec())
}

fn accept_key(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(GUID);
    let mut text = String::new();
    base64::encode(&hash.finalize(), &mut text);
    text
}

/// Whether the header, a list of words, holds that word.
fn lists(headers: Headers<'_>, name: HeaderName, word: &str) -> bool {
    headers
        .texts(name)
        .flat_map(|line| line.split(','))
        .any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderMap;

    #[test]
    fn the_accept_key_is_that_of_the_standards_example() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_word_is_found_in_any_line_of_a_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.append(header::CONNECTION, HeaderValue::from_static("a, UPGRADE"));
        assert!(lists((&headers).into(), header::CONNECTION, "upgrade"));
        assert!(!lists((&headers).into(), header::CONNECTION, "grade"));
    }
}
