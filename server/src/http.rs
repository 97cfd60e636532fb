//! The only place that knows HTTP: routes, requests to plain values, and answers from them.
//!
//! Owns who may ask ([`cors`]), the WebSocket handshake ([`upgrade`]) and the table from refusals to answers
//! ([`answer`]). Decides nothing about sessions; a faster front that reads requests itself could stand beside it.

mod answer;
mod cors;
mod listener;
mod upgrade;

pub use listener::{Connection, Listener};

use crate::session::{self, Answer, Hub, Post, Session, Upgrade};
use answer::Refused;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::response::Response;
use axum::routing::any;
use encke_protocol::engine::{Query, RequestError, Transport};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;
use upgrade::Accepted;

/// The routes of a server, with and without a slash at their end.
pub(crate) fn router(hub: Arc<Hub>) -> Router {
    let path = hub.config.path.trim_end_matches('/').to_owned();
    let with_slash = Router::new().route(&format!("{path}/"), any(handle));
    let routes = if path.is_empty() { with_slash } else { with_slash.route(&path, any(handle)) };
    routes.with_state(hub)
}

async fn handle(State(hub): State<Arc<Hub>>, request: Request) -> Response {
    let origin = match cors::judge(&hub.config, request.headers()) {
        Ok(origin) => origin,
        Err(refused) => return Refused::from(refused).into_response(),
    };
    let mut response = if request.method() == Method::OPTIONS {
        cors::preflight()
    } else {
        serve(hub, request).await.unwrap_or_else(Refused::into_response)
    };
    origin.mark(response.headers_mut());
    response
}

async fn serve(hub: Arc<Hub>, request: Request) -> Result<Response, Refused> {
    let query = Query::decode(request.uri().query().unwrap_or_default())?;
    let session = match query.sid {
        Some(sid) => Some(hub.find(sid).ok_or(RequestError::SessionUnknown)?),
        None => None,
    };
    match (query.transport, upgrade::is_asked(&request)) {
        (Transport::WebSocket, true) => websocket(hub, session, request),
        (Transport::WebSocket, false) | (Transport::Polling, true) => Err(RequestError::BadRequest.into()),
        (Transport::Polling, false) => polling(&hub, session, request).await,
    }
}

async fn polling(
    hub: &Arc<Hub>,
    session: Option<Arc<Session>>,
    request: Request,
) -> Result<Response, Refused> {
    let method = request.method();
    let Some(session) = session else {
        if method != Method::GET {
            return Err(RequestError::BadHandshakeMethod.into());
        }
        let session = hub.open(Transport::Polling).ok_or(Refused::Full)?;
        return Ok(answer::text(Answer::open(session)?.await));
    };
    if method == Method::GET {
        Ok(answer::text(Answer::open(session)?.await))
    } else if method == Method::POST {
        post(hub, session, request).await
    } else {
        Err(RequestError::BadRequest.into())
    }
}

async fn post(hub: &Hub, session: Arc<Session>, request: Request) -> Result<Response, Refused> {
    check_content_type(&request)?;
    let post = Post::open(session)?;
    let reading = post.unless_ended(read_body(request, hub.config.limits.max_payload));
    let body = match reading.await.unwrap_or(Err(BodyError::Lost)) {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            post.refuse();
            return Err(Refused::TooLarge);
        }
        // Perhaps nobody hears this answer; the session, if there still is one, learns by the drop.
        Err(BodyError::Lost) => return Err(RequestError::BadRequest.into()),
    };
    post.feed(&body).await?;
    Ok(answer::text("ok"))
}

/// Payloads are text. Browsers and official clients say so, small ones say nothing.
fn check_content_type(request: &Request) -> Result<(), Refused> {
    let Some(content_type) = request.headers().get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("text/plain") {
        Ok(())
    } else {
        Err(RequestError::BadRequest.into())
    }
}

enum BodyError {
    TooLarge,
    /// The connection has broken off, or the session has ended.
    Lost,
}

async fn read_body(request: Request, limit: u32) -> Result<Bytes, BodyError> {
    let limit = limit as usize;
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(BodyError::TooLarge);
    }
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Lost),
    }
}

fn websocket(hub: Arc<Hub>, session: Option<Arc<Session>>, request: Request) -> Result<Response, Refused> {
    if session.is_none() && hub.is_full() {
        return Err(Refused::Full);
    }
    let Accepted { response, upgraded } = upgrade::accept(request)?;
    let promise = session.map(Upgrade::begin).transpose().map_err(|_| RequestError::BadRequest)?;
    tokio::spawn(async move {
        // Otherwise the client has gone before it became a WebSocket; a promise is taken back by its drop.
        if let Some((io, early)) = upgrade::take_out(upgraded).await
            && let Some(driver) = session::drive(&hub, io, early, promise)
        {
            // A task of its own: what took part in the handshake is not kept for the connection's life.
            tokio::spawn(driver);
        }
    });
    Ok(response)
}

/// The answer to a request that brings nothing.
fn empty(status: axum::http::StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
