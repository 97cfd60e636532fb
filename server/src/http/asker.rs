//! What a request says of the page that asks: its origin, and how that is related to the host that is asked.
//!
//! Only what a browser says, which a page cannot change. What is made of it is decided elsewhere: by [`super::cors`], and by
//! the program for its own forms.

use super::headers::Headers;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use std::borrow::Cow;

/// Fetch Metadata; said over TLS and to localhost only, and not by old browsers.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// In HTTP/2 the host stands in the request's address, and mostly nowhere else.
pub(super) fn name_host(request: &mut Parts) {
    let authority = request.uri.authority().filter(|_| !request.headers.contains_key(header::HOST));
    let host = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers.insert(header::HOST, host);
    }
}

/// How the page is related to this host, in the browser's words: `same-origin`, `same-site`, `cross-site`, or `none` for no
/// page at all.
pub(super) fn fetch_site(headers: Headers<'_>) -> Option<&str> {
    headers.get(&SEC_FETCH_SITE).map(|_| headers.text(&SEC_FETCH_SITE).unwrap_or_default())
}

/// Whether a page of that origin comes from the host that the request names (`Host`).
pub(super) fn is_own_origin(origin: &str, headers: Headers<'_>) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let host = headers.get(&header::HOST);
    authority.zip(host).is_some_and(|(authority, host)| authority.as_bytes().eq_ignore_ascii_case(host))
}

/// The origin of the page that the `Referer` names.
pub(super) fn referer(headers: Headers<'_>) -> Option<String> {
    let address = String::from_utf8_lossy(headers.get(&header::REFERER)?);
    Some(origin_of(&address).to_owned())
}

/// The `Origin`, as text.
pub(super) fn origin(headers: Headers<'_>) -> Option<Cow<'_, str>> {
    headers.get(&header::ORIGIN).map(String::from_utf8_lossy)
}

/// The origin of the page whose address that is.
fn origin_of(address: &str) -> &str {
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address[authority..].find(['/', '?', '#']).map_or(address.len(), |at| authority + at);
    &address[..end]
}

/// For the program's own forms: what is asked here, of requests that came by axum.
#[cfg(feature = "encke")]
pub(super) mod program {
    use axum::http::HeaderMap;

    /// How the page is related to this host, in the browser's words.
    pub fn fetch_site(headers: &HeaderMap) -> Option<&str> {
        super::fetch_site(headers.into())
    }

    /// Whether a page of that origin comes from the host that the request names.
    pub fn is_own_origin(origin: &str, headers: &HeaderMap) -> bool {
        super::is_own_origin(origin, headers.into())
    }
}
