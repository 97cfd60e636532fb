//! The server as an application holds it: built once with its handlers, then a router and handles to its namespaces.

mod application;
mod requests;

use crate::backplane::Recovery;
use crate::config::{Config, Limits, Origins};
use crate::http::{self, Listener, ServerLayer};
use crate::namespace::{Backing, Backplane, Directory, Handlers, Namespace, Pattern, Settings};
use crate::raw;
use crate::session::Hub;
use axum::Router;
use encke_protocol::socket::Parser;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A Socket.IO server. Cheap to clone; clones are the same server.
///
/// ```
/// use encke_server::Server;
///
/// let server = Server::builder()
///     .namespace("/", |on| {
///         on.on_named("hello", |socket, args, ack| {
///             socket.broadcast().emit_named("hello", &args);
///             let _ = ack.send("said");
///         });
///     })
///     .build();
/// let app: axum::Router = axum::Router::new().merge(server.router());
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct Server(Arc<Hub>);

impl Server {
    /// Begins with the defaults.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder().namespace("/", |on| {
    ///     on.on_connect(|socket| println!("here comes {}", socket.id()));
    /// });
    /// let server = server.build();
    /// # let _ = server;
    /// ```
    pub fn builder() -> ServerBuilder {
        ServerBuilder {
            config: Config::default(),
            path: None,
            namespaces: HashMap::new(),
            families: Vec::new(),
            raw: None,
            recovery: None,
            backplane: None,
        }
    }

    /// The routes, to be merged into an application's own, whatever state that has. `axum::serve` speaks HTTP/1.1 and, to clients
    /// that begin so, HTTP/2; a listener with TLS offers browsers the latter by ALPN (`h2`).
    ///
    /// ```
    /// # use axum::{Router, extract::State, routing::get};
    /// # use encke_server::Server;
    /// # #[derive(Clone)] struct App;
    /// # let server = Server::builder().build();
    /// let app: Router = Router::new()
    ///     .route("/", get(|State(App): State<App>| async { "a page" }))
    ///     .merge(server.router())
    ///     .with_state(App);
    /// # let _ = app;
    /// ```
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        http::router(self.0.clone())
    }

    /// The server as a layer over an application's own service: requests for the server's path are its own, all others go
    /// through untouched. What was added to an axum router before is inside, what is added later outside, so that its
    /// middleware sees requests before the server does. A layer for CORS of the application's own may stand outside too; who
    /// may ask is decided here all the same ([`ServerBuilder::origins`]). A router that is to be nested in another takes
    /// [`Self::router`]: axum leaves a nested router's layers out for what is none of its routes.
    ///
    /// ```
    /// # use axum::{Router, extract::{Request, State}, middleware::{self, Next}, routing::get};
    /// # use encke_server::Server;
    /// # async fn check_token(request: Request, next: Next) -> axum::response::Response { next.run(request).await }
    /// # #[derive(Clone)] struct App;
    /// # let server = Server::builder().build();
    /// let app: Router = Router::new()
    ///     .route("/", get(|State(App): State<App>| async { "a page" }))
    ///     .layer(server.layer())
    ///     .layer(middleware::from_fn(check_token))
    ///     .with_state(App);
    /// # let _ = app;
    /// ```
    pub fn layer(&self) -> ServerLayer {
        http::layer(self.0.clone())
    }

    /// A listener for [`axum::serve()`] that answers requests for this server itself, for about a third less CPU than a route of axum
    /// and with two kilobytes in place of twenty for a client that polls. It takes plain requests alone, of HTTP/1.1, over
    /// TCP: a connection that brings anything else is axum's from that request on, so [`Self::router`] or [`Self::layer`] is
    /// needed all the same, and what is refused is refused there.
    ///
    /// **Layers, middleware and logs of the application do not see the requests that the listener answers, nor does a listener
    /// around this one see their connections.** One that brings TLS, or lets only some addresses in, goes around
    /// [`Listener::from`](crate::Listener) therefore: around this one, it would let others in by plain HTTP. It answers at
    /// [`ServerBuilder::path`] of every connection, wherever the router is nested. What needs requests as axum has them,
    /// [`ServerBuilder::allow_request`], [`ServerBuilder::on_connection_error`] and [`ServerBuilder::carry`], leaves all of them
    /// to axum. The client's address is known ([`Handshake::remote_address`](crate::Handshake::remote_address)).
    ///
    /// What a connection has become stays: where a browser has fetched a page by it, or a proxy sends everybody's requests, polls are
    /// axum's too. A WebSocket has a connection of its own, and so have clients that are no browsers.
    ///
    /// The head of a plain request has to be whole within 30 s of its first byte; axum sets no time for others. When the listener is
    /// dropped, as by axum's graceful shutdown, idle connections end, and others with their next answer; axum does not wait
    /// for them, so [close](Self::close) the server first.
    ///
    /// ```no_run
    /// # async fn serve(server: encke_server::Server) -> std::io::Result<()> {
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    /// axum::serve(server.listener(listener), server.router()).await
    /// # }
    /// ```
    pub fn listener(&self, tcp: TcpListener) -> Listener {
        Listener::serving(tcp, self.0.clone())
    }

    /// The namespace of that name: one that was added, one that a client has made the server make, or one that the text of a
    /// pattern fits, whether or not somebody is in it.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder().namespace("/", |_| {}).namespaces("/rooms/{room}", |_| {}).build();
    /// assert!(server.namespace("/").is_some_and(|namespace| namespace.is_empty()));
    /// assert_eq!(server.namespace("/rooms/red").unwrap().param("room"), Some("red"));
    /// assert!(server.namespace("/other").is_none());
    /// ```
    pub fn namespace(&self, name: &str) -> Option<Namespace> {
        self.0.namespaces.find(name)
    }

    /// All namespaces: those that were added, and of those that are made when a client asks those with somebody of this server
    /// in them.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder().namespace("/", |_| {}).namespaces("/rooms/{room}", |_| {}).build();
    /// let names: Vec<_> = server.namespaces().iter().map(|known| known.name().to_owned()).collect();
    /// assert_eq!(names, ["/"]);
    /// ```
    pub fn namespaces(&self) -> Vec<Namespace> {
        self.0.namespaces.all()
    }

    /// Ends all sessions politely and opens no more: clients are told that the server goes away, what is queued still goes
    /// out. Returns when all are gone, at the latest after `patience`.
    ///
    /// A graceful shutdown of axum alone knows nothing of WebSockets, which have left its care, and waits for its polls, which
    /// may take a whole heartbeat; those that [`Self::listener`] answers it does not wait for. So close the server first: polls are
    /// answered and WebSockets closed then, while the application's own routes are still served; requests that are
    /// under way are axum's to finish.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn told_to_stop() {}
    /// # async fn serve(server: encke_server::Server, listener: encke_server::Listener) -> std::io::Result<()> {
    /// let app = axum::Router::new().merge(server.router());
    /// axum::serve(listener, app)
    ///     .with_graceful_shutdown(async move {
    ///         told_to_stop().await;
    ///         server.close(Duration::from_secs(5)).await;
    ///     })
    ///     .await
    /// # }
    /// ```
    pub async fn close(&self, patience: Duration) {
        self.0.close(patience).await;
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("path", &self.0.config.path).finish_non_exhaustive()
    }
}

/// Sets what a server does before it starts.
///
/// ```
/// # use encke_server::{Limits, Server};
/// # use std::time::Duration;
/// let server = Server::builder()
///     .ping_interval(Duration::from_secs(10))
///     .ping_timeout(Duration::from_secs(5))
///     .upgrade_timeout(Duration::from_secs(5))
///     .ack_timeout(Duration::from_secs(15))
///     .upgrades(false)
///     .limits(Limits { max_sessions: 10_000, ..Limits::default() })
///     .build();
/// # let _ = server;
/// ```
#[derive(Debug)]
#[must_use = "build makes the server"]
pub struct ServerBuilder {
    config: Config,
    path: Option<String>,
    namespaces: HashMap<Box<str>, Handlers>,
    families: Vec<(Pattern, Handlers)>,
    raw: Option<raw::Handlers>,
    recovery: Option<Recovery>,
    backplane: Option<Backplane>,
}

impl ServerBuilder {
    /// Where the server answers, with or without a slash at the end; `/socket.io` unless set, or `/engine.io` with
    /// [`Self::raw`].
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::Server;
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().path("/chat").build().router();
    /// let request = Request::get("/chat/?EIO=4&transport=polling").body(Body::empty()).unwrap();
    /// assert_eq!(app.call(request).await.unwrap().status(), 200);
    /// # }
    /// ```
    ///
    /// # Panics
    /// The path does not begin with a slash.
    pub fn path(mut self, path: &str) -> Self {
        assert!(path.is_empty() || path.starts_with('/'), "a path begins with a slash: {path:?}");
        self.path = Some(path.to_owned());
        self
    }

    /// Between two heartbeats; 25 s unless set.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.config.ping_interval = interval;
        self
    }

    /// For a client to answer a heartbeat; 20 s unless set.
    pub fn ping_timeout(mut self, timeout: Duration) -> Self {
        self.config.ping_timeout = timeout;
        self
    }

    /// For a polling client to finish its change to a WebSocket; 10 s unless set.
    pub fn upgrade_timeout(mut self, timeout: Duration) -> Self {
        self.config.upgrade_timeout = timeout;
        self
    }

    /// How long the server waits for a client's answer where an emit does not say it; 30 s unless set.
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.config.ack_timeout = timeout;
        self
    }

    /// Whether polling clients may change to a WebSocket; they may unless set.
    pub fn upgrades(mut self, allowed: bool) -> Self {
        self.config.upgrades = allowed;
        self
    }

    /// What a client may make the server hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Which web pages may use the server; only those of its own host unless set.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::{Origins, Server};
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pages = Origins::Listed(vec!["https://example.org".to_owned()]);
    /// let mut app: Router = Server::builder().origins(pages).build().router();
    /// for (origin, status) in [("https://example.org", 200), ("https://other.org", 403)] {
    ///     let request = Request::get("/socket.io/?EIO=4&transport=polling").header("origin", origin);
    ///     let answer = app.call(request.body(Body::empty()).unwrap()).await.unwrap();
    ///     assert_eq!(answer.status(), status);
    /// }
    /// # }
    /// ```
    pub fn origins(mut self, origins: Origins) -> Self {
        self.config.origins = origins.normalized();
        self
    }

    /// Whether pages of other origins may send cookies; not unless set.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::{Origins, Server};
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let pages = Origins::Listed(vec!["https://example.org".to_owned()]);
    /// let server = Server::builder().origins(pages).credentials(true).build();
    /// # let mut app: Router = server.router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling");
    /// let request = request.header("origin", "https://example.org").body(Body::empty()).unwrap();
    /// let answer = app.call(request).await.unwrap();
    /// assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
    /// # }
    /// ```
    pub fn credentials(mut self, allowed: bool) -> Self {
        self.config.credentials = allowed;
        self
    }

    /// Whether clients may poll by scripts and forms (JSONP), which get through where a proxy takes the CORS headers off;
    /// they may unless set. Otherwise their transport is unknown.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::Server;
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().jsonp(false).build().router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling&j=0").body(Body::empty()).unwrap();
    /// assert_eq!(app.call(request).await.unwrap().status(), 400);
    /// # }
    /// ```
    pub fn jsonp(mut self, allowed: bool) -> Self {
        self.config.jsonp = allowed;
        self
    }

    /// Whether a JSONP request is served that does not say whose page it belongs to: it has no `Origin`, `Referer` or
    /// `Sec-Fetch-Site` header, since the browser is old, or something on the way or the page itself takes them off. Unless
    /// set it is refused when credentials are allowed or other origins are listed, and served otherwise. With
    /// [`Origins::Own`] its answer is marked as the own pages' (`Cross-Origin-Resource-Policy: same-origin`), so that
    /// browsers that know the header let no other page run it; else any page may.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::Server;
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().unidentified_jsonp(false).build().router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling&j=0").body(Body::empty()).unwrap();
    /// assert_eq!(app.call(request).await.unwrap().status(), 403);
    /// # }
    /// ```
    pub fn unidentified_jsonp(mut self, allowed: bool) -> Self {
        self.config.unidentified_jsonp = Some(allowed);
        self
    }

    /// Whether clients of Engine.IO v3 are served too: `socket.io-client` 2, and what came in other languages before 2021.
    /// Not unless set; they are refused by status 400 and "Unsupported protocol version". They enter the namespace `/` as they
    /// connect, without auth; for other namespaces auth is the query that they give. A refusal reaches them as its data, or
    /// else its message. What they take for their socket's id is their session's. Those in pages of other origins ask with
    /// credentials, so let those be sent ([`Self::credentials`]).
    ///
    /// ```
    /// use encke_server::Server;
    ///
    /// let server = Server::builder().engine_v3(true).namespace("/", |_| {}).build();
    /// # let _ = server;
    /// ```
    pub fn engine_v3(mut self, allowed: bool) -> Self {
        self.config.engine_v3 = allowed;
        self
    }

    /// In which form packets travel; [`Parser::Json`] unless set. One for all clients: each has to be set to the same, and who
    /// is not is put out at its first packet. Handlers see no difference, whichever it is. The msgpack of Socket.IO 2 is another and
    /// not spoken.
    ///
    /// ```
    /// use encke_server::{Parser, Server};
    ///
    /// let server = Server::builder().parser(Parser::MsgPack).namespace("/", |_| {}).build();
    /// # let _ = server;
    /// ```
    pub fn parser(mut self, parser: Parser) -> Self {
        self.config.parser = parser;
        self
    }

    /// Whether clients get back what they missed while their connection was away; not unless set. Every event without ack
    /// has then a text as its last argument, the offset, which official clients hand to their listeners too.
    ///
    /// ```
    /// use encke_server::{Recovery, Server};
    ///
    /// let server = Server::builder()
    ///     .recovery(Recovery::default())
    ///     .namespace("/", |on| {
    ///         on.on_connect(|socket| {
    ///             if !socket.is_recovered() {
    ///                 socket.join("news");
    ///             }
    ///         });
    ///         on.on_disconnect(|socket, _reason| {
    ///             if !socket.is_recoverable() {
    ///                 println!("{} has left", socket.id());
    ///             }
    ///         });
    ///         on.on_expired(|socket| println!("{} has not come back", socket.id()));
    ///     })
    ///     .build();
    /// # let _ = server;
    /// ```
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = Some(recovery);
        self
    }

    /// Shares its namespaces with the other servers of this backplane; a server is alone unless set. Those that share one
    /// should all recover their clients or none: where one does, all events carry an offset as their last argument.
    ///
    /// ```
    /// # use encke_server::{Backplane, Server};
    /// let backplane = Backplane::new();
    /// let build = |node| Server::builder().node(node).backplane(&backplane).namespace("/", |_| {}).build();
    /// let (one, two) = (build("one"), build("two"));
    /// one.namespace("/").unwrap().everybody().emit_named("news", &"to the clients of both");
    /// # let _ = two;
    /// ```
    ///
    /// # Panics
    /// [`Self::build`] does when the servers have not all the same parser.
    pub fn backplane(mut self, backplane: &Backplane) -> Self {
        self.backplane = Some(backplane.clone());
        self
    }

    /// This server's name among others, the beginning of its session ids: letters, digits, `-` and `_`. Empty unless set,
    /// for a server that is alone.
    ///
    /// ```
    /// # use axum::{Router, body::Body, http::Request};
    /// # use encke_server::Server;
    /// # use tower_service::Service;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut app: Router = Server::builder().node("eu-1").build().router();
    /// let request = Request::get("/socket.io/?EIO=4&transport=polling").body(Body::empty()).unwrap();
    /// let answer = app.call(request).await.unwrap().into_body();
    /// let handshake = axum::body::to_bytes(answer, 1_000).await.unwrap();
    /// assert!(handshake.starts_with(br#"0{"sid":"eu-1"#));
    /// # }
    /// ```
    ///
    /// # Panics
    /// When the name has another character.
    pub fn node(mut self, name: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        assert!(name.bytes().all(plain), "a node's name is made of letters, digits, '-' and '_': {name:?}");
        self.config.node = name.to_owned();
        self
    }

    /// The server. It needs a tokio runtime from its first client on.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder().namespace("/", |_| {}).build();
    /// let app: axum::Router = server.router();
    /// # let _ = app;
    /// ```
    pub fn build(mut self) -> Server {
        let none = self.namespaces.is_empty() && self.families.is_empty();
        assert!(self.raw.is_none() || none, "raw messages have no namespaces");
        let default = if self.raw.is_some() { "/engine.io" } else { "/socket.io" };
        self.config.path = self.path.take().unwrap_or_else(|| default.to_owned());
        let backing = self.backing();
        let settings = Settings::new(&self.config, backing.clone());
        let namespaces = Directory::new(settings, self.namespaces, self.families);
        Server(Arc::new(Hub::new(self.config, namespaces, self.raw, backing)))
    }

    fn backing(&self) -> Option<Arc<Backing>> {
        if self.backplane.is_none() && self.recovery.is_none() {
            return None;
        }
        let backplane = self.backplane.clone().unwrap_or_default();
        Some(Arc::new(Backing {
            server: backplane.add_server(self.config.parser),
            backplane,
            recovery: self.recovery.clone(),
            unnoticed: self.config.unnoticed(),
            max_missed: self.config.limits.max_outbox,
        }))
    }
}
