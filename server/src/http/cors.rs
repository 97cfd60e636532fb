//! Which web pages may use the server, and how a browser is told (Fetch standard, CORS protocol).
//!
//! Judged for every request, since a browser lets any page open a WebSocket and send a simple POST to anybody.

use super::empty;
use crate::config::{Config, Origins};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use encke_protocol::engine::RequestError;

/// Seconds for which a browser may remember a preflight's answer; browsers cap it at about two hours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// What the answer says about the page that asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No page of another host asked: there is nothing to say.
    Own,
    /// That page may read the answer.
    Allowed { origin: HeaderValue, credentials: bool },
}

/// May the page that asks do so?
pub(super) fn judge(config: &Config, headers: &HeaderMap) -> Result<Origin, RequestError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(Origin::Own) };
    let listed = match &config.origins {
        Origins::Own => false,
        Origins::Listed(origins) => origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()),
        Origins::Any => true,
    };
    if listed {
        return Ok(Origin::Allowed { origin: origin.clone(), credentials: config.credentials });
    }
    if is_own(origin, headers) { Ok(Origin::Own) } else { Err(RequestError::Forbidden) }
}

/// Whether the page comes from the host that the request names. A browser sets both, and a page cannot.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let (Ok(origin), Some(host)) = (origin.to_str(), headers.get(header::HOST)) else { return false };
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    authority.is_some_and(|authority| authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()))
}

/// The answer to a browser that asks before it sends a request.
pub(super) fn preflight() -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, POST, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    response
}

impl Origin {
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        // Answers differ by it, whoever asks.
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        let Self::Allowed { origin, credentials } = self else {
            const NOT_FOR_OTHERS: [HeaderName; 3] = [
                header::ACCESS_CONTROL_ALLOW_METHODS,
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                header::ACCESS_CONTROL_MAX_AGE,
            ];
            NOT_FOR_OTHERS.iter().for_each(|name| drop(headers.remove(name)));
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(origins: Origins, origin: Option<&'static str>) -> Result<Origin, RequestError> {
        let config = Config { origins, ..Config::default() };
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("chat.example:8000"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        }
        judge(&config, &headers)
    }

    fn allowed(origin: &'static str) -> Result<Origin, RequestError> {
        Ok(Origin::Allowed { origin: HeaderValue::from_static(origin), credentials: false })
    }

    #[test]
    fn what_is_no_browser_may_always_ask() {
        assert_eq!(asked(Origins::Own, None), Ok(Origin::Own));
    }

    #[test]
    fn a_page_of_the_own_host_may_ask_and_no_other() {
        assert_eq!(asked(Origins::Own, Some("http://chat.example:8000")), Ok(Origin::Own));
        assert_eq!(asked(Origins::Own, Some("https://Chat.example:8000")), Ok(Origin::Own));
        for origin in
            ["http://chat.example", "http://evil.example", "http://chat.example:8000.evil", "null", ""]
        {
            assert_eq!(asked(Origins::Own, Some(origin)), Err(RequestError::Forbidden), "{origin}");
        }
    }

    #[test]
    fn a_listed_page_may_ask_and_is_named_in_the_answer() {
        let listed = || Origins::Listed(vec!["https://A.example/".to_owned()]).normalized();
        assert_eq!(asked(listed(), Some("https://a.example")), allowed("https://a.example"));
        assert_eq!(asked(listed(), Some("https://b.example")), Err(RequestError::Forbidden));
        assert_eq!(asked(listed(), Some("http://a.example")), Err(RequestError::Forbidden), "another scheme");
    }

    #[test]
    fn with_any_every_page_may_ask() {
        assert_eq!(asked(Origins::Any, Some("null")), allowed("null"));
    }
}
