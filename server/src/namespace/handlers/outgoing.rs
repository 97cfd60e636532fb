//! Who sees what the server sends.

use super::Handlers;
use crate::namespace::selection::{Group, Selection};
use crate::namespace::work::panic_text;
use crate::namespace::{Args, NamespaceCore, Socket, SocketId};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub(super) type OnOutgoing = Box<dyn Fn(&str, &Args<'_>, Recipients<'_>) + Send + Sync>;

/// Whom an event is for, as it was said: who is in a room at that moment is not looked up.
///
/// ```
/// # use encke_server::{Server, SocketId};
/// let (tell, told) = std::sync::mpsc::channel();
/// # let builder = Server::builder().namespace("/", move |on| {
/// on.on_any_outgoing(move |_name, _args, to| {
///     assert!(to.socket().is_none(), "for one alone");
///     let rooms: Vec<_> = to.rooms().chain(to.except_rooms()).map(str::to_owned).collect();
///     let sockets: Vec<_> = to.sockets().chain(to.except_sockets()).collect();
///     tell.send((to.namespace_name().to_owned(), to.is_everybody(), rooms, sockets)).expect("heard");
/// });
/// # });
/// # let server = builder.build();
/// # let namespace = server.namespace("/").expect("added");
/// # let id: SocketId = "AAAAAAAAAAAAAAAAAAAAAA".parse().expect("an id");
/// namespace.to("red").except("muted").to_socket(id).emit_named("news", &1);
/// namespace.everybody().emit_named("news", &2);
/// assert_eq!(told.try_recv(), Ok(("/".into(), false, vec!["red".into(), "muted".into()], vec![id])));
/// assert_eq!(told.try_recv(), Ok(("/".into(), true, vec![], vec![])));
/// ```
#[derive(Clone, Copy)]
pub struct Recipients<'a> {
    namespace: &'a NamespaceCore,
    whom: Whom<'a>,
}

#[derive(Clone, Copy)]
pub(in crate::namespace) enum Whom<'a> {
    One(&'a Socket),
    Many(&'a Selection),
}

impl<'a> Recipients<'a> {
    /// The name of the namespace.
    pub fn namespace_name(&self) -> &'a str {
        &self.namespace.name
    }

    /// The client, if it is for one alone.
    pub fn socket(&self) -> Option<&'a Socket> {
        match self.whom {
            Whom::One(socket) => Some(socket),
            Whom::Many(_) => None,
        }
    }

    /// Whether it is for everybody in the namespace, but for those who are left out.
    pub fn is_everybody(&self) -> bool {
        self.selection().is_some_and(|selection| selection.among.is_none())
    }

    /// The rooms it is for.
    pub fn rooms(&self) -> impl Iterator<Item = &'a str> {
        self.among().flat_map(|among| &*among.rooms).map(|room| &**room)
    }

    /// The single clients it is for, beside the rooms.
    pub fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.among().flat_map(|among| &*among.sockets).copied()
    }

    /// The rooms that are left out.
    pub fn except_rooms(&self) -> impl Iterator<Item = &'a str> {
        self.selection().into_iter().flat_map(|selection| &*selection.except.rooms).map(|room| &**room)
    }

    /// The single clients that are left out, such as the one that [`Socket::broadcast`] speaks for.
    pub fn except_sockets(&self) -> impl Iterator<Item = SocketId> {
        self.selection().into_iter().flat_map(|selection| &*selection.except.sockets).copied()
    }

    fn among(&self) -> impl Iterator<Item = &'a Group> {
        self.selection().and_then(|selection| selection.among.as_ref()).into_iter()
    }

    fn selection(&self) -> Option<&'a Selection> {
        match self.whom {
            Whom::One(_) => None,
            Whom::Many(selection) => Some(selection),
        }
    }
}

impl std::fmt::Debug for Recipients<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.whom {
            Whom::One(socket) => socket.fmt(f),
            Whom::Many(selection) => selection.fmt(f),
        }
    }
}

impl Handlers {
    /// Sees every event that is sent: once when it is sent, to however many, and before it goes out. Acks of clients'
    /// events are none. It runs where the event is sent, so it must not wait for what is locked there. What it sends itself
    /// it does not see. May be given several times.
    ///
    /// ```
    /// # use encke_server::Server;
    /// # let _ =
    /// Server::builder().namespace("/", |on| {
    ///     on.on_any_outgoing(|name, _args, to| match to.socket() {
    ///         Some(socket) => println!("{name} to {}", socket.id()),
    ///         None if to.is_everybody() => println!("{name} to everybody"),
    ///         None => println!("{name} to {:?}", to.rooms().collect::<Vec<_>>()),
    ///     });
    /// });
    /// ```
    pub fn on_any_outgoing<F>(&mut self, see: F) -> &mut Self
    where
        F: Fn(&str, &Args<'_>, Recipients<'_>) + Send + Sync + 'static,
    {
        self.outgoing.push(Box::new(see));
        self
    }
}

thread_local! {
    static SEEING: Cell<bool> = const { Cell::new(false) };
}

impl NamespaceCore {
    /// An event is about to be sent. Not under a lock: this is the application's.
    pub(in crate::namespace) fn sending(&self, name: &str, args: &Args<'_>, whom: Whom<'_>) {
        if !self.handlers.outgoing.is_empty() {
            self.show(name, args, whom);
        }
    }

    #[cold]
    fn show(&self, name: &str, args: &Args<'_>, whom: Whom<'_>) {
        if SEEING.replace(true) {
            return;
        }
        let to = Recipients { namespace: self, whom };
        for see in &self.handlers.outgoing {
            // The event goes out all the same, and whoever sends it is not to blame.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| see(name, args, to))) {
                tracing::error!(event = name, panic = panic_text(&*panic), "who sees what is sent panicked");
            }
        }
        SEEING.set(false);
    }
}
