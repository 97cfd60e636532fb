//! The request that opens a session, as the session keeps it: plain values, and what the application wants carried over.

use super::answer::Refused;
use super::headers::Headers;
use super::listener::Remote;
use crate::config::Config;
use crate::namespace::{Handshake, Value};
use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderName, header, uri};
use std::net::SocketAddr;
use std::sync::Arc;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Takes a value of one type out of a request.
pub(crate) type Carry = fn(&Extensions) -> Option<Value>;

pub(crate) fn carry<T: Clone + Send + Sync + 'static>(extensions: &Extensions) -> Option<Value> {
    extensions.get::<T>().map(|value| Arc::new(value.clone()) as Value)
}

/// # Errors
/// Url and headers are longer than a session may keep.
pub(super) fn read(config: &Config, request: &Parts) -> Result<Handshake, Refused> {
    let url = request.uri.path_and_query().map_or("/", uri::PathAndQuery::as_str);
    let secure = request.uri.scheme() == Some(&uri::Scheme::HTTPS);
    let remote = remote(&request.extensions);
    let handshake = keep(config, url, (&request.headers).into(), remote, secure)?;
    let carried = config.carried.iter().filter_map(|carry| carry(&request.extensions)).collect();
    Ok(handshake.carrying(carried))
}

/// What is kept of a request that has no extensions. `secure`: it came by TLS for sure.
///
/// # Errors
/// As [`read`].
pub(super) fn keep(
    config: &Config,
    url: &str,
    headers: Headers<'_>,
    remote: Option<SocketAddr>,
    secure: bool,
) -> Result<Handshake, Refused> {
    let handshake = Handshake::new(url, headers.iter().filter(|(name, _)| !is_hop(name)));
    if handshake.len() > config.limits.max_head {
        return Err(Refused::HeadTooLarge);
    }
    Ok(handshake.connection(remote, secure || is_forwarded_securely(headers)))
}

fn remote(extensions: &Extensions) -> Option<SocketAddr> {
    let plain = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| *address);
    plain.or_else(|| extensions.get::<ConnectInfo<Remote>>().map(|ConnectInfo(Remote(address))| *address))
}

fn is_forwarded_securely(headers: Headers<'_>) -> bool {
    // A list when there are several proxies; the first word is of the one that the client sees.
    let first = headers.get(&FORWARDED_PROTO).and_then(|list| list.split(|byte| *byte == b',').next());
    first.is_some_and(|word| word.trim_ascii().eq_ignore_ascii_case(b"https"))
}

/// Whether the header says something about this connection alone.
fn is_hop(name: &str) -> bool {
    let hop = [
        header::CONNECTION,
        header::UPGRADE,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_VERSION,
        header::SEC_WEBSOCKET_EXTENSIONS,
        KEEP_ALIVE,
    ];
    hop.iter().any(|hop| name.eq_ignore_ascii_case(hop.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, request::Builder};

    fn handshake(request: Builder) -> Handshake {
        let (mut request, ()) = request.body(()).expect("a request").into_parts();
        crate::http::asker::name_host(&mut request);
        read(&Config::default(), &request).expect("not too long")
    }

    #[test]
    fn a_request_by_http_2_names_its_host_and_scheme_in_its_own_way() {
        let kept = handshake(Request::get("https://example.org/socket.io/?EIO=4"));
        assert_eq!((kept.header("host"), kept.is_secure()), (Some("example.org"), true));
        assert_eq!(kept.url(), "/socket.io/?EIO=4");
        let kept = handshake(Request::get("http://example.org/").header("host", "other.org"));
        assert_eq!((kept.header("host"), kept.is_secure()), (Some("other.org"), false));
    }
}
