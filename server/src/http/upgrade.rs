//! The WebSocket handshake (RFC 6455 section 4.2; over HTTP/2 RFC 8441), and the socket taken out of hyper after it.
//!
//! Nothing of hyper stays with the connection: a plain TCP stream is unpacked, anything else is used through hyper's
//! own stream type.

use super::answer::Refused;
use super::empty;
use super::extension::Deflate;
use super::listener::Connection;
use crate::session::Io;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
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
    pub(super) response: Response,
    pub(super) upgraded: OnUpgrade,
    /// Compressed messages are agreed on, whose window for the client is of so many bits.
    pub(super) deflate: Option<u8>,
}

/// Whether the request would like to become a WebSocket.
pub(super) fn is_asked(request: &Parts) -> bool {
    lists(&request.headers, header::UPGRADE, "websocket") || is_extended_connect(request)
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
pub(super) fn accept(request: &mut Parts, deflates: bool) -> Result<Accepted, Refused> {
    let headers = &request.headers;
    let extended = is_extended_connect(request);
    if !extended && (request.method != Method::GET || !lists(headers, header::CONNECTION, "upgrade")) {
        return Err(RequestError::BadRequest.into());
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refused::WebSocketVersion);
    }
    let mut response = if extended { empty(StatusCode::OK) } else { switch(headers)? };
    let deflate = if deflates { Deflate::offered(headers) } else { None };
    if let Some(deflate) = deflate {
        response.headers_mut().insert(Deflate::NAME, deflate.header());
    }
    // Absent where the connection cannot be upgraded: that of HTTP/2 which asks as if it were another.
    let upgraded = request.extensions.remove::<OnUpgrade>().ok_or(RequestError::BadRequest)?;
    Ok(Accepted { response, upgraded, deflate: deflate.map(|deflate| deflate.window_bits) })
}

/// The answer behind which the whole connection is a WebSocket.
fn switch(headers: &HeaderMap) -> Result<Response, Refused> {
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok());
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
        Ok(parts) => return Some(plain(parts.io.into_inner(), &parts.read_buf)),
        Err(upgraded) => upgraded,
    };
    match auto::upgrade::downcast::<TokioIo<Connection>>(upgraded) {
        Ok(parts) => Some(plain(parts.io.into_inner().into_inner(), &parts.read_buf)),
        Err(upgraded) => Some((Io::Other(Box::new(TokioIo::new(upgraded))), Vec::new())),
    }
}

fn plain(stream: TcpStream, early: &[u8]) -> (Io, Vec<u8>) {
    // Frames are small and wanted at once. A socket that refuses is about to fail anyway.
    let _ = stream.set_nodelay(true);
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
fn lists(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|listed| listed.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_key_is_that_of_the_standards_example() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn a_word_is_found_in_any_line_of_a_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::CONNECTION, HeaderValue::from_static("keep-alive"));
        headers.append(header::CONNECTION, HeaderValue::from_static("a, UPGRADE"));
        assert!(lists(&headers, header::CONNECTION, "upgrade"));
        assert!(!lists(&headers, header::CONNECTION, "grade"));
    }
}
