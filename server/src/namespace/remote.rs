//! Sockets that are found, moved and put out by where they are, on whichever server.
//!
//! Owns what of a selection is no event. Who is meant is found first; what then happens to each is what the socket itself
//! does, under no lock of this.

use super::emission::Outcome;
use super::selection::Selection;
use super::{Arguments, Broadcast, Emission, NamespaceCore, Rooms, Socket, SocketId};
use encke_protocol::contract::{Event, HeardByClient};
use std::future::ready;
use std::sync::Arc;

/// A socket as it was when it was asked for, perhaps on another server.
///
/// ```
/// # async fn handler(socket: encke_server::Socket) {
/// for other in socket.namespace().everybody().fetch_sockets().await {
///     let place = if other.local().is_some() { "here" } else { "elsewhere" };
///     println!("{} is {place}, in {:?}", other.id(), other.rooms());
///     other.emit_named("seen", &place);
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct RemoteSocket {
    id: SocketId,
    rooms: Vec<Arc<str>>,
    local: Option<Socket>,
    namespace: Arc<NamespaceCore>,
}

impl<O: Outcome> Broadcast<O> {
    /// Those of them that are connected to this server, in no order.
    ///
    /// ```
    /// # let server = encke_server::Server::builder().namespace("/", |_| {}).build();
    /// # let namespace = server.namespace("/").expect("it is always there");
    /// for socket in namespace.to("red").sockets() {
    ///     println!("{} came from {}", socket.id(), socket.handshake().url());
    /// }
    /// assert!(namespace.everybody().sockets().is_empty());
    /// ```
    pub fn sockets(&self) -> Vec<Socket> {
        self.namespace.sockets(&self.selection)
    }

    /// Those of them that are there now, on all servers, in no order.
    ///
    /// ```
    /// # async fn handler(socket: encke_server::Socket) {
    /// for other in socket.to("red").fetch_sockets().await {
    ///     println!("{} is in {:?}", other.id(), other.rooms());
    /// }
    /// # }
    /// ```
    pub fn fetch_sockets(&self) -> impl Future<Output = Vec<RemoteSocket>> + Send + Unpin + use<O> {
        let here = self.sockets().into_iter().map(|socket| (socket, true));
        let others = self.others();
        let there =
            others.iter().flat_map(|other| other.sockets(&self.selection)).map(|socket| (socket, false));
        let found = here.chain(there).map(|(socket, is_here)| RemoteSocket {
            id: socket.id(),
            rooms: socket.rooms(),
            local: is_here.then_some(socket),
            namespace: self.namespace.clone(),
        });
        ready(found.collect())
    }

    /// Has them enter a room, or several, as [`Socket::join`]; those who are away and may come back, too.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.namespace().to("red").except("muted").join(["blue", "green"]);
    /// # }
    /// ```
    pub fn join(&self, rooms: impl Rooms) -> Emission {
        let rooms = names(rooms);
        self.each(|socket| socket.join(&rooms))
    }

    /// Has them leave a room, or several, as [`Socket::leave`]; those who are away and may come back, too.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.namespace().to("red").leave(["red", "blue"]);
    /// # }
    /// ```
    pub fn leave(&self, rooms: impl Rooms) -> Emission {
        let rooms = names(rooms);
        self.each(|socket| socket.leave(&rooms))
    }

    /// Puts them out of the namespace, as [`Socket::disconnect`]; those who are away may not come back any more.
    ///
    /// ```
    /// # fn handler(socket: &encke_server::Socket) {
    /// socket.namespace().to("guests").except("invited").disconnect();
    /// # }
    /// ```
    pub fn disconnect(&self) -> Emission {
        self.each(Socket::disconnect)
    }

    /// Ends their connections with all their namespaces, as [`Socket::close`]; those who are away may not come back any more.
    ///
    /// ```
    /// # fn everywhere(namespace: &encke_server::Namespace) {
    /// namespace.to("banned").close();
    /// # }
    /// ```
    pub fn close(&self) -> Emission {
        self.each(Socket::close)
    }

    fn each(&self, change: impl Fn(&Socket)) -> Emission {
        let all = match &self.namespace.link {
            Some(link) => link.all(&self.namespace, &self.selection, self.local),
            None => self.sockets(),
        };
        all.iter().for_each(change);
        Emission::default()
    }

    /// The namespace on the other servers that are meant.
    fn others(&self) -> Vec<Arc<NamespaceCore>> {
        let link = self.namespace.link.as_ref().filter(|_| !self.local);
        link.map_or_else(Vec::new, |link| link.others())
    }
}

impl NamespaceCore {
    pub(super) fn sockets(&self, selection: &Selection) -> Vec<Socket> {
        let mut sockets = Vec::new();
        if let Some(audience) = self.roster.audience(selection) {
            audience.each(|socket| sockets.push(socket.clone()));
        }
        sockets
    }
}

fn names(rooms: impl Rooms) -> Vec<Box<str>> {
    let mut names = Vec::new();
    rooms.each(&mut |room| names.push(room.into()));
    names
}

impl RemoteSocket {
    /// The socket's public name.
    pub fn id(&self) -> SocketId {
        self.id
    }

    /// The rooms it was in.
    pub fn rooms(&self) -> &[Arc<str>] {
        &self.rooms
    }

    /// The socket itself, with its values and handshake, if it is connected to this server.
    pub fn local(&self) -> Option<&Socket> {
        self.local.as_ref()
    }

    /// For whatever else can be said to a socket: flags, acks.
    ///
    /// ```
    /// # async fn remote(other: encke_server::RemoteSocket) -> Result<(), serde_json::Error> {
    /// other.to().volatile().emit_named("position", &(47, 11))?;
    /// let answers = other.to().emit_named_with_ack("ready?", &())?.all().await;
    /// assert!(answers.len() <= 1, "it is the only one that is asked");
    /// # Ok(()) }
    /// ```
    pub fn to(&self) -> Broadcast {
        Broadcast::everybody(self.namespace.clone()).to_socket(self.id)
    }

    /// Sends it an event.
    ///
    /// ```
    /// # use encke_server::contract::{Event, Never, NoAck, ToClient};
    /// # #[derive(serde::Serialize, serde::Deserialize)]
    /// # struct News { text: String }
    /// # impl Event for News {
    /// #     const NAME: &'static str = "news";
    /// #     type Direction = ToClient;
    /// #     type Ack = NoAck;
    /// #     type Error = Never;
    /// # }
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// other.emit(&News { text: "for you alone".to_owned() });
    /// # }
    /// ```
    pub fn emit<E>(&self, event: &E) -> Emission
    where
        E: Event<Direction: HeardByClient>,
    {
        self.to().emit(event)
    }

    /// Sends it an event by its name.
    ///
    /// ```
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// other.emit_named("news", &"for you alone");
    /// # }
    /// ```
    pub fn emit_named(&self, name: &str, args: &(impl Arguments + ?Sized)) -> Emission {
        self.to().emit_named(name, args)
    }

    /// Has it enter a room, or several.
    ///
    /// ```
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// other.join(["red", "blue"]);
    /// # }
    /// ```
    pub fn join(&self, rooms: impl Rooms) -> Emission {
        self.to().join(rooms)
    }

    /// Has it leave a room, or several.
    ///
    /// ```
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// other.leave("red");
    /// # }
    /// ```
    pub fn leave(&self, rooms: impl Rooms) -> Emission {
        self.to().leave(rooms)
    }

    /// Puts the client out of the namespace.
    ///
    /// ```
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// if other.rooms().iter().any(|room| &**room == "banned") {
    ///     other.disconnect();
    /// }
    /// # }
    /// ```
    pub fn disconnect(&self) -> Emission {
        self.to().disconnect()
    }

    /// Ends the client's connection with all its namespaces.
    ///
    /// ```
    /// # fn remote(other: &encke_server::RemoteSocket) {
    /// if other.rooms().iter().any(|room| &**room == "banned") {
    ///     other.close();
    /// }
    /// # }
    /// ```
    pub fn close(&self) -> Emission {
        self.to().close()
    }
}

impl From<&RemoteSocket> for SocketId {
    fn from(socket: &RemoteSocket) -> Self {
        socket.id
    }
}

impl std::fmt::Debug for RemoteSocket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteSocket")
            .field("id", &self.id)
            .field("rooms", &self.rooms)
            .finish_non_exhaustive()
    }
}
