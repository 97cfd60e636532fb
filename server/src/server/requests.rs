//! What is set about the requests of clients: which are served, and how they are answered.

use super::ServerBuilder;
use crate::http::{ConnectionError, Cookie};
use axum::http::request::Parts;
use encke_protocol::engine::Transport;
use std::pin::Pin;
use std::sync::Arc;

impl ServerBuilder {
    /// Which transports there are, both unless set. Another one is unknown to clients that ask for it.
    ///
    /// ```
    /// # use encke_server::{Server, Transport};
    /// let server = Server::builder().transports(&[Transport::WebSocket]).build();
    /// # let _ = server;
    /// ```
    pub fn transports(mut self, transports: &[Transport]) -> Self {
        self.config.transports = transports.to_vec();
        self
    }

    /// Sets a cookie that names the session in the answer to a polling handshake; not unless set. See [`Cookie`].
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::{Cookie, Server};
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().cookie(Cookie::new("affinity")).build().router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling").body(Body::empty()).unwrap();
    /// let answer = app.call(request).await.unwrap();
    /// assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("affinity="));
    /// # }
    /// ```
    pub fn cookie(mut self, cookie: Cookie) -> Self {
        self.config.cookie = Some(cookie);
        self
    }

    /// Compresses answers to polls (gzip, deflate) that have so many bytes, where the client reads that. Not unless set;
    /// Socket.IO's threshold is 1,024. Costs processor time, and where what others say stands in one answer with a secret,
    /// its length tells something of the secret (BREACH). An answer may hold many messages: it is compressed also when
    /// [`Socket::compress`](crate::Socket::compress) was said against it for one of them.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::Server;
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().http_compression(10).build().router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling").header("accept-encoding", "gzip");
    /// let answer = app.call(request.body(Body::empty()).unwrap()).await.unwrap();
    /// assert_eq!(answer.headers()["content-encoding"], "gzip");
    /// # }
    /// ```
    pub fn http_compression(mut self, threshold: usize) -> Self {
        self.config.http_compression = Some(threshold);
        self
    }

    /// Compresses messages over WebSockets (permessage-deflate, RFC 7692) that have so many bytes, where the client offers
    /// that, as browsers do. Not unless set; Socket.IO's threshold is 1,024. Each message is compressed by itself: no
    /// connection costs memory for it, and an event for many is compressed once. What clients compress is held against
    /// [`Limits::max_payload`](crate::Limits::max_payload) as it is inflated. [`Socket::compress`](crate::Socket::compress)
    /// leaves it out for an event. Clients of Engine.IO v3 are left out.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder().per_message_deflate(1_024).http_compression(1_024).build();
    /// # let _ = server;
    /// ```
    pub fn per_message_deflate(mut self, threshold: usize) -> Self {
        self.config.per_message_deflate = Some(u32::try_from(threshold).unwrap_or(u32::MAX));
        self
    }

    /// Decides on each request that would open a session, before anything is made of it. Whoever is refused gets status 403
    /// and the error's words (`{"code":4,"message":…}`), "Forbidden" when there are none. What it puts among the request's
    /// extensions can be carried over ([`Self::carry`]). The future is dropped where it waits when the client gives up first.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # async fn look_up(token: &str) -> Option<u64> { token.parse().ok() }
    /// #[derive(Clone)]
    /// struct User(u64);
    ///
    /// let server = Server::builder()
    ///     .allow_request(|request| {
    ///         Box::pin(async move {
    ///             let token = request.headers.get("authorization").and_then(|token| token.to_str().ok());
    ///             let user = look_up(token.unwrap_or_default()).await.ok_or("who are you?")?;
    ///             request.extensions.insert(User(user));
    ///             Ok(())
    ///         })
    ///     })
    ///     .carry::<User>()
    ///     .build();
    /// # let _ = server;
    /// ```
    pub fn allow_request<F>(mut self, decide: F) -> Self
    where
        F: for<'a> Fn(&'a mut Parts) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>
            + Send
            + Sync
            + 'static,
    {
        self.config.hooks.allow = Some(Arc::new(decide));
        self
    }

    /// Tells of every request that is refused, such as for a log. Called where the request is served: it should not take long.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder()
    ///     .on_connection_error(|error| {
    ///         eprintln!("{}: {} ({})", error.request().uri, error.message(), error.context());
    ///     })
    ///     .build();
    /// # let _ = server;
    /// ```
    pub fn on_connection_error(
        mut self,
        tell: impl Fn(&ConnectionError<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.config.hooks.error = Some(Arc::new(tell));
        self
    }
}
