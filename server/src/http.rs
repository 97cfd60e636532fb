//! The only place that knows HTTP: routes, requests to plain values, and answers from them.
//!
//! Owns who may ask ([`cors`], by what [`asker`] reads; [`stranger`] is who may not), what a session keeps of the request
//! that opens it ([`handshake`]), what the application decides about requests and hears of them ([`hooks`]), polls and posts
//! ([`polling`]), the WebSocket handshake ([`upgrade`]) and the table from refusals to answers ([`answer`]). A router, a
//! [`layer`] over others, and a [front](fast) that reads plain requests itself, before hyper. Decides nothing about sessions.

mod answer;
mod asker;
mod compression;
mod cookie;
mod cors;
mod extension;
mod fast;
mod form;
mod handshake;
mod headers;
mod hooks;
mod layer;
mod listener;
mod polling;
mod stranger;
mod upgrade;

#[cfg(feature = "encke")]
pub use asker::program::{fetch_site, is_own_origin};
pub use cookie::{Cookie, SameSite};
pub(crate) use handshake::{Carry, carry};
pub use hooks::ConnectionError;
pub(crate) use hooks::Hooks;
pub use layer::{ServerFuture, ServerLayer, ServerService};
pub use listener::{Connection, Listener, Remote};

use crate::config::Config;
use crate::session::{self, Form, Hub, Purpose, Session, Upgrade};
use answer::{Refused, Reply};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::response::Response;
use axum::routing::any;
use cors::Asks;
use encke_protocol::engine::{Query, RequestError, Transport, Version};
use std::sync::Arc;
use stranger::Strangers;
use upgrade::Accepted;

/// What requests are served from.
struct Front {
    hub: Arc<Hub>,
    strangers: Strangers,
}

/// The routes of a server, with and without a slash at their end.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(hub: Arc<Hub>) -> Router<S> {
    let path = hub.config.path.trim_end_matches('/').to_owned();
    let with_slash = Router::new().route(&format!("{path}/"), any(handle));
    let routes = if path.is_empty() { with_slash } else { with_slash.route(&path, any(handle)) };
    routes.with_state(Arc::new(Front { hub, strangers: Strangers::default() }))
}

async fn handle(State(front): State<Arc<Front>>, request: Request) -> Response {
    front.answer(request).await
}

/// The same, over somebody else's service.
pub(crate) fn layer(hub: Arc<Hub>) -> ServerLayer {
    ServerLayer(Arc::new(Front { hub, strangers: Strangers::default() }))
}

impl Front {
    /// Whether a request for that path is this server's, with or without a slash at the end.
    fn is_for(&self, path: &str) -> bool {
        let own = self.hub.config.path.trim_end_matches('/');
        path.strip_prefix(own).is_some_and(|rest| matches!(rest, "" | "/"))
    }

    async fn answer(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        asker::name_host(&mut parts);
        let hub = &self.hub;
        // The query borrows from it while the request is taken apart; the text is shared.
        let uri = parts.uri.clone();
        let query = Query::decode(uri.query().unwrap_or_default());
        let asks = match query {
            Ok(Query { transport: Transport::Polling, jsonp: Some(_), .. }) => Asks::Script,
            // What is no query is refused, by an answer that nobody can run.
            _ => Asks::Plain,
        };
        let origin = match cors::judge(&hub.config, (&parts.headers).into(), asks) {
            Ok(origin) => origin,
            Err(stranger) => {
                self.strangers.log(stranger);
                if parts.method != Method::OPTIONS {
                    hub.config.hooks.tell(&parts, &RequestError::OriginNotAllowed.into());
                }
                let origin = parts.headers.get(header::ORIGIN).cloned();
                return cors::refuse(origin, &parts.method).map(Body::from);
            }
        };
        let served = match query {
            _ if parts.method == Method::OPTIONS => Ok(cors::preflight(origin.names_allowed(&parts.headers))),
            Ok(query) => serve(hub, query, &mut parts, body).await,
            Err(error) => Err(error.into()),
        };
        let mut reply = served.unwrap_or_else(|refused| {
            hub.config.hooks.tell(&parts, &refused);
            refused.into_reply()
        });
        origin.mark(reply.headers_mut());
        reply.map(Body::from)
    }
}

async fn serve(hub: &Arc<Hub>, query: Query<'_>, parts: &mut Parts, body: Body) -> Result<Reply, Refused> {
    if !hub.config.transports.contains(&query.transport) {
        return Err(RequestError::TransportUnknown.into());
    }
    let session = match query.sid {
        Some(sid) => Some(hub.find(sid).ok_or(RequestError::SessionUnknown)?),
        None => None,
    };
    let version = version(&hub.config, &query, session.as_deref())?;
    match (query.transport, upgrade::is_asked(parts)) {
        (Transport::WebSocket, true) => {
            websocket(hub.clone(), session, version, Form::of(version, query.base64), parts).await
        }
        (Transport::WebSocket, false) | (Transport::Polling, true) => Err(RequestError::BadRequest.into()),
        (Transport::Polling, false) => polling::serve(hub, session, version, query.jsonp, parts, body).await,
    }
}

/// What the client of the request speaks: fixed by that which opened the session, and said again or not said.
fn version(config: &Config, query: &Query<'_>, session: Option<&Session>) -> Result<Version, RequestError> {
    match (query.version, session.map(Session::version)) {
        (Some(version), Some(opened)) if version != opened => Err(RequestError::BadRequest),
        (_, Some(version)) | (Some(version @ Version::V4), None) => Ok(version),
        (Some(Version::V3), None) if config.engine_v3 => Ok(Version::V3),
        _ => Err(RequestError::UnsupportedProtocolVersion),
    }
}

async fn websocket(
    hub: Arc<Hub>,
    session: Option<Arc<Session>>,
    version: Version,
    mut form: Form,
    parts: &mut Parts,
) -> Result<Reply, Refused> {
    if session.is_none() && hub.is_full() {
        return Err(Refused::Full);
    }
    let deflates = deflates(&hub.config, version);
    let (Accepted { reply, deflate }, upgraded) = upgrade::accept(parts, deflates.is_some())?;
    if let Some((window_bits, threshold)) = deflate.zip(deflates) {
        form = Form::Deflated { window_bits, threshold };
    }
    // A promise is taken back by its drop.
    let purpose = match session {
        Some(session) => Upgrade::begin(session).map(Purpose::Upgrade),
        None => {
            hub.config.hooks.allow(parts).await?;
            Ok(Purpose::Open(version, handshake::read(&hub.config, parts)?))
        }
    };
    tokio::spawn(async move {
        // Otherwise the client has gone before it became a WebSocket.
        let Some((io, early)) = upgrade::take_out(upgraded).await else { return };
        match purpose {
            Ok(purpose) => {
                if let Some(driver) = session::drive(&hub, io, early, purpose, form, Vec::new()) {
                    // A task of its own: what took part in the handshake is not kept for the connection's life.
                    tokio::spawn(driver);
                }
            }
            // As the reference server has it: the WebSocket is fine, only nobody wants it.
            Err(_) => session::turn_away(io).await,
        }
    });
    Ok(reply)
}

/// From how many bytes on messages to a client are compressed that would like that. Not in v3, whose binary messages are put
/// into another form already.
fn deflates(config: &Config, version: Version) -> Option<u32> {
    config.per_message_deflate.filter(|_| version == Version::V4)
}
