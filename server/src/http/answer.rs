//! Answers: text, and the table from a refusal to what the client sees.

use axum::body::Bytes;
use axum::http::{HeaderValue, Response, StatusCode, header};
use encke_protocol::engine::RequestError;
use serde_json::json;

/// An answer, whoever writes it.
pub(super) type Reply = Response<Bytes>;

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The client's fault; a number, words and a status of the protocol.
    Protocol(RequestError),
    /// The application does not allow it, and says why.
    Forbidden(String),
    /// The body is longer than the limit.
    TooLarge,
    /// Url and headers of the request that would open a session are.
    HeadTooLarge,
    /// The server takes no more sessions now.
    Full,
    /// Another version of the WebSocket protocol than 13.
    WebSocketVersion,
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::Protocol(error)
    }
}

impl Refused {
    /// As the protocol has it, if it does.
    pub(super) fn protocol(&self) -> Option<RequestError> {
        match self {
            Self::Protocol(error) => Some(*error),
            Self::Forbidden(_) => Some(RequestError::Forbidden),
            Self::WebSocketVersion => Some(RequestError::BadRequest),
            Self::TooLarge | Self::HeadTooLarge | Self::Full => None,
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        match self {
            Self::Protocol(error) => error_reply(error),
            Self::Forbidden(message) if !message.is_empty() => {
                let body = json!({ "code": RequestError::Forbidden.code(), "message": message });
                let mut response = with_type(body.to_string(), "application/json");
                *response.status_mut() = StatusCode::FORBIDDEN;
                response
            }
            Self::Forbidden(_) => error_reply(RequestError::Forbidden),
            Self::TooLarge => {
                let mut response = empty(StatusCode::PAYLOAD_TOO_LARGE);
                // The rest of the body is not read: the connection cannot be used again.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                response
            }
            Self::HeadTooLarge => empty(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE),
            Self::Full => empty(StatusCode::SERVICE_UNAVAILABLE),
            Self::WebSocketVersion => {
                let mut response = error_reply(RequestError::BadRequest);
                response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
                response
            }
        }
    }
}

fn error_reply(error: RequestError) -> Reply {
    let mut response = with_type(error.body(), "application/json");
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    response
}

/// A payload, or the `ok` that answers a post.
pub(super) fn text(body: Bytes) -> Reply {
    with_type(body, "text/plain; charset=UTF-8")
}

/// A payload that calls a function of the page.
pub(super) fn script(body: Bytes) -> Reply {
    with_type(body, "text/javascript; charset=UTF-8")
}

/// The answer to a form, which is shown by a frame of the page.
pub(super) fn frame(words: &'static str) -> Reply {
    let mut response = with_type(words, "text/html; charset=UTF-8");
    let policy = HeaderValue::from_static("default-src 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The answer to a request that brings nothing.
pub(super) fn empty(status: StatusCode) -> Reply {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn with_type(body: impl Into<Bytes>, content_type: &'static str) -> Reply {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A browser must never take a payload for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
