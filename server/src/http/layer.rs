//! The server as a layer over somebody else's service: requests for its path are its own, all others go through untouched.

use super::Front;
use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use axum::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Puts a server before other services; made by [`Server::layer`](crate::Server::layer).
///
/// ```
/// # use axum::{Router, routing::get};
/// # use encke_server::{Server, ServerLayer};
/// let layer: ServerLayer = Server::builder().namespace("/", |_| {}).build().layer();
/// let app: Router = Router::new().route("/", get(|| async { "a page" })).layer(layer);
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct ServerLayer(pub(super) Arc<Front>);

/// A service with a server before it; made by [`ServerLayer`].
///
/// ```
/// # use axum::{Router, body::Body, http::Request, routing::get};
/// # use encke_server::{Server, ServerService};
/// # use tower_layer::Layer;
/// # use tower_service::Service;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # let server = Server::builder().build();
/// let pages: Router = Router::new().route("/", get(|| async { "a page" }));
/// let mut service: ServerService<Router> = server.layer().layer(pages);
/// let page = Request::get("/").body(Body::empty()).unwrap();
/// assert_eq!(service.call(page).await.unwrap().status(), 200);
/// let handshake = Request::get("/socket.io/?EIO=4&transport=polling").body(Body::empty()).unwrap();
/// assert_eq!(service.call(handshake).await.unwrap().status(), 200);
/// # }
/// ```
#[derive(Clone)]
pub struct ServerService<S> {
    front: Arc<Front>,
    inner: S,
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { front: self.0.clone(), inner }
    }
}

impl<S, B> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response: IntoResponse>,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ServerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> ServerFuture<S::Future> {
        if !self.front.is_for(request.uri().path()) {
            return ServerFuture { answer: Answer::Other { future: self.inner.call(request) } };
        }
        let (front, request) = (self.front.clone(), request.map(Body::new));
        ServerFuture { answer: Answer::Own { future: Box::pin(async move { front.answer(request).await }) } }
    }
}

pin_project! {
    /// The answer of a [`ServerService`].
    #[must_use = "nothing is answered before it is polled"]
    pub struct ServerFuture<F> {
        #[pin]
        answer: Answer<F>,
    }
}

pin_project! {
    #[project = Projected]
    enum Answer<F> {
        Own { future: Pin<Box<dyn Future<Output = Response> + Send>> },
        Other { #[pin] future: F },
    }
}

impl<F, R, E> Future for ServerFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().answer.project() {
            Projected::Own { future } => future.as_mut().poll(cx).map(Ok),
            Projected::Other { future } => future.poll(cx).map_ok(IntoResponse::into_response),
        }
    }
}

impl std::fmt::Debug for ServerLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerLayer").finish_non_exhaustive()
    }
}

impl<S> std::fmt::Debug for ServerService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerService").finish_non_exhaustive()
    }
}

impl<F> std::fmt::Debug for ServerFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerFuture").finish_non_exhaustive()
    }
}
