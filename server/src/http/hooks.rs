//! What an application decides about requests, and what it is told of those that are refused.

use super::answer::Refused;
use super::asker;
use axum::http::request::Parts;
use encke_protocol::engine::RequestError;
use serde_json::{Value, json};
use std::pin::Pin;
use std::sync::Arc;

/// Decides on a request that would open a session.
pub(crate) type AllowRequest = dyn for<'a> Fn(&'a mut Parts) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>
    + Send
    + Sync;
/// Hears of a request that was refused.
pub(crate) type OnConnectionError = dyn Fn(&ConnectionError<'_>) + Send + Sync;

/// The application's functions; most have none.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) allow: Option<Arc<AllowRequest>>,
    pub(crate) error: Option<Arc<OnConnectionError>>,
}

impl Hooks {
    pub(super) async fn allow(&self, request: &mut Parts) -> Result<(), Refused> {
        match &self.allow {
            Some(allow) => allow(request).await.map_err(Refused::Forbidden),
            None => Ok(()),
        }
    }

    pub(super) fn tell(&self, request: &Parts, refused: &Refused) {
        if let Some(tell) = &self.error {
            tell(&ConnectionError { request, refused });
        }
    }
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

/// A request that was refused, told by [`ServerBuilder::on_connection_error`](crate::ServerBuilder::on_connection_error).
///
/// | code | message | [`context`](Self::context) |
/// |---|---|---|
/// | 0 | Transport unknown | `transport` of the query |
/// | 1 | Session ID unknown | `sid` of the query |
/// | 2 | Bad handshake method | `method` of the request |
/// | 3 | Bad request | `name`: `TRANSPORT_HANDSHAKE_ERROR` when it should have become a WebSocket, else `BAD_REQUEST` |
/// | 4 | the application's words; Forbidden without any | `message`, the same |
/// | 4 | Origin not allowed | `name`: `INVALID_ORIGIN`, and the `origin` |
/// | 5 | Unsupported protocol version | `protocol`: `EIO` of the query |
/// | none | Payload too large (413), Request head too large (431), Server full (503) | nothing |
///
/// Where Socket.IO has names of their own for what does not fit the session (`TRANSPORT_MISMATCH`, `PROTOCOL_MISMATCH`), this
/// is `BAD_REQUEST`. So is a POST whose session ends while it comes.
///
/// ```
/// # use axum::{Router, body::Body, http::Request};
/// # use tower_service::Service;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let (told, heard) = std::sync::mpsc::channel();
/// let server = encke_server::Server::builder()
///     .on_connection_error(move |error| {
///         assert_eq!(error.request().uri.path(), "/socket.io/");
///         assert_eq!((error.code(), error.message()), (Some(0), "Transport unknown"));
///         assert_eq!(error.context()["transport"], "pigeon");
/// #         told.send(()).unwrap();
///     })
///     .build();
/// # let request = Request::get("/socket.io/?EIO=4&transport=pigeon").body(Body::empty()).unwrap();
/// # let answer = server.router::<()>().call(request).await.unwrap();
/// # assert_eq!(answer.status(), 400);
/// # heard.try_recv().unwrap();
/// # }
/// ```
#[derive(Debug)]
pub struct ConnectionError<'a> {
    request: &'a Parts,
    refused: &'a Refused,
}

impl ConnectionError<'_> {
    /// The request, without its body.
    pub fn request(&self) -> &Parts {
        self.request
    }

    /// The number that the client is told, if there is one in the protocol.
    pub fn code(&self) -> Option<u8> {
        self.refused.protocol().map(RequestError::code)
    }

    /// What happened, in words.
    pub fn message(&self) -> &str {
        match self.refused {
            Refused::Forbidden(message) if !message.is_empty() => message,
            Refused::TooLarge => "Payload too large",
            Refused::HeadTooLarge => "Request head too large",
            Refused::Full => "Server full",
            refused => refused.protocol().map_or("", RequestError::message),
        }
    }

    /// More about it, as the table above says; for logs.
    pub fn context(&self) -> Value {
        let Some(error) = self.refused.protocol() else { return Value::Null };
        let query = |name| query_value(self.request.uri.query().unwrap_or_default(), name);
        match error {
            RequestError::TransportUnknown => json!({ "transport": query("transport") }),
            RequestError::SessionUnknown => json!({ "sid": query("sid") }),
            RequestError::BadHandshakeMethod => json!({ "method": self.request.method.as_str() }),
            RequestError::BadRequest => {
                let websocket = query("transport") == Some("websocket");
                json!({ "name": if websocket { "TRANSPORT_HANDSHAKE_ERROR" } else { "BAD_REQUEST" } })
            }
            RequestError::Forbidden => json!({ "message": self.message() }),
            RequestError::OriginNotAllowed => {
                json!({ "name": "INVALID_ORIGIN", "origin": asker::origin((&self.request.headers).into()) })
            }
            RequestError::UnsupportedProtocolVersion => json!({ "protocol": query("EIO") }),
        }
    }
}

/// As it stands there: the first of that name.
fn query_value<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}
