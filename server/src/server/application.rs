//! What an application gives a server: its namespaces with their handlers, and what those are to find.

use super::ServerBuilder;
use crate::namespace::{Handlers, Pattern};
use crate::{http, raw};
use encke_protocol::socket::check_namespace;
use std::sync::Arc;

impl ServerBuilder {
    /// Adds a namespace with its handlers; named again, it gets more of them. Clients that ask for one that was not added, and
    /// that none of [`Self::namespaces`] fits, are refused.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder()
    ///     .namespace("/", |on| _ = on.on_connect(|socket| println!("{} is here", socket.id())))
    ///     .namespace("/admin", |_| {})
    ///     .build();
    /// assert_eq!(server.namespaces().len(), 2);
    /// ```
    ///
    /// # Panics
    /// When the name does not begin with `/` or has a comma: it could not be said on the wire.
    pub fn namespace(mut self, name: &str, register: impl FnOnce(&mut Handlers)) -> Self {
        assert!(check_namespace(name).is_ok(), "a namespace begins with '/' and has no comma: {name:?}");
        register(self.namespaces.entry(name.into()).or_default());
        self
    }

    /// Adds namespaces that are made when a client asks for them, by a text such as `/rooms/{room}` or by a decision of the
    /// application's ([`Pattern`]), all with these handlers. One is there from its first client on and gone with its
    /// last, which may also be one that might have come back ([`Self::recovery`]). Those of [`Self::namespace`] come first, then patterns in the order in which they were added.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder()
    ///     .namespaces("/rooms/{room}", |on| {
    ///         on.on_named("say", |socket, args, _ack| {
    ///             println!("somebody speaks in {:?}", socket.param("room"));
    ///             let _ = socket.broadcast().emit_named("say", &args);
    ///         });
    ///     })
    ///     .build();
    /// let red = server.namespace("/rooms/red").expect("the pattern fits");
    /// assert!(red.is_empty());
    /// ```
    ///
    /// # Panics
    /// When the text does not begin with `/`, has a comma, or its braces are not whole segments with different names.
    pub fn namespaces(mut self, pattern: impl Into<Pattern>, register: impl FnOnce(&mut Handlers)) -> Self {
        let pattern = pattern.into();
        assert!(pattern.is_valid(), "no pattern of namespaces such as /rooms/{{room}}: {pattern:?}");
        let mut handlers = Handlers::default();
        register(&mut handlers);
        self.families.push((pattern, handlers));
        self
    }

    /// Serves messages of Engine.IO without Socket.IO above them, as the module [`raw`] says.
    ///
    /// ```
    /// # use encke_server::Server;
    /// let server = Server::builder()
    ///     .raw(|on| {
    ///         on.on_message(|session, message| session.send(message));
    ///     })
    ///     .build();
    /// assert!(server.namespaces().is_empty());
    /// ```
    ///
    /// # Panics
    /// In [`Self::build`], when there are namespaces too: a server speaks one or the other.
    pub fn raw(mut self, register: impl FnOnce(&mut raw::Handlers)) -> Self {
        register(self.raw.get_or_insert_default());
        self
    }

    /// Gives the handlers something of the application's own, one of each type: [`Socket::state`](crate::Socket::state)
    /// has it, so that a handler can be a plain function and needs no clone of its own.
    ///
    /// ```
    /// # use encke_server::{Args, Refusal, Server, Socket};
    /// # #[derive(Default)]
    /// # struct Database;
    /// # impl Database { async fn find(&self, _: u64) -> Option<String> { None } }
    /// async fn show(socket: Socket, args: Args<'static>) -> Result<String, Refusal> {
    ///     let (id,): (u64,) = args.decode()?;
    ///     socket.state::<Database>().find(id).await.ok_or("there is no such thing".into())
    /// }
    ///
    /// let server = Server::builder().state(Database::default()).namespace("/", |on| {
    ///     on.on_call_async("show", show);
    /// });
    /// # let _ = server;
    /// ```
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.config.state.push(Arc::new(state));
        self
    }

    /// Carries what middleware of the application has put into a request's extensions over to the sockets of the session
    /// that the request opens: [`Handshake::find`](crate::Handshake::find). May be given for several types.
    ///
    /// ```
    /// # use axum::{Router, extract::Request, middleware::{self, Next}};
    /// # use encke_server::Server;
    /// #[derive(Clone)]
    /// struct User(String);
    ///
    /// let server = Server::builder()
    ///     .carry::<User>()
    ///     .namespace("/", |on| {
    ///         on.on_connect(|socket| {
    ///             let user = socket.handshake().find::<User>();
    ///             println!("here comes {:?}", user.map(|User(name)| name));
    ///         });
    ///     })
    ///     .build();
    /// let authenticate = async |mut request: Request, next: Next| {
    ///     request.extensions_mut().insert(User("Ann".to_owned()));
    ///     next.run(request).await
    /// };
    /// let app: Router = server.router().layer(middleware::from_fn(authenticate));
    /// # let _ = app;
    /// ```
    pub fn carry<T: Clone + Send + Sync + 'static>(mut self) -> Self {
        self.config.carried.push(http::carry::<T>);
        self
    }
}
