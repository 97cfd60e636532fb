//! One event to many: framed once, queued for every recipient in the same order, the same bytes for all.

use super::peer::Delivery;
use super::selection::Selection;
use super::{Args, Arguments, NamespaceCore, Rooms, SocketId, args, encode};
use crate::turn;
use encke_protocol::contract::{Event, HeardByClient};
use std::sync::Arc;

/// Whom to send an event: everybody in a namespace, or those in any of some rooms, without those in others. Each of them
/// gets it once, also who is in several of the rooms; all members of a room see the same order. Made by
/// [`Socket::broadcast`](super::Socket::broadcast), [`Socket::to`](super::Socket::to),
/// [`Namespace::everybody`](super::Namespace::everybody), [`Namespace::to`](super::Namespace::to) and the like.
///
/// ```
/// # fn handler(socket: &encke_server::Socket) -> Result<(), serde_json::Error> {
/// socket.to(["red", "blue"]).except("muted").emit_named("news", &"hello")?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "nothing is sent before emit"]
pub struct Broadcast {
    namespace: Arc<NamespaceCore>,
    selection: Selection,
    delivery: Delivery,
}

impl Broadcast {
    pub(super) fn everybody(namespace: Arc<NamespaceCore>) -> Self {
        Self { namespace, selection: Selection::default(), delivery: Delivery::Queued }
    }

    /// Only those in that room, or in any of those. Said several times: in any of all. An empty list is nobody.
    pub fn to(mut self, rooms: impl Rooms) -> Self {
        self.selection.to(rooms);
        self
    }

    /// Only that socket, beside the rooms that are named.
    pub fn to_socket(mut self, socket: impl Into<SocketId>) -> Self {
        self.selection.add_socket(socket.into());
        self
    }

    /// Not those in that room, or in any of those.
    pub fn except(mut self, rooms: impl Rooms) -> Self {
        self.selection.except(rooms);
        self
    }

    /// Not that one.
    pub fn except_socket(mut self, socket: impl Into<SocketId>) -> Self {
        self.selection.except_socket(socket.into());
        self
    }

    /// Whoever cannot take it at this moment does not get it.
    pub fn volatile(mut self) -> Self {
        self.delivery = Delivery::Volatile;
        self
    }

    /// Sends an event.
    ///
    /// # Errors
    /// When the payload cannot be written as JSON.
    pub fn emit<E>(&self, event: &E) -> Result<(), serde_json::Error>
    where
        E: Event<Direction: HeardByClient>,
    {
        self.emit_args(E::NAME, &args::single(event)?);
        Ok(())
    }

    /// Sends an event by its name.
    ///
    /// # Errors
    /// When the arguments cannot be written as JSON.
    pub fn emit_named(&self, name: &str, args: &(impl Arguments + ?Sized)) -> Result<(), serde_json::Error> {
        self.emit_args(name, &args.to_args()?);
        Ok(())
    }

    fn emit_args(&self, name: &str, args: &Args<'_>) {
        let Some(audience) = self.namespace.roster.audience(&self.selection) else { return };
        turn::run(|| {
            let frames = encode::event(&self.namespace.name, None, name, args);
            audience.each(|member| member.push_as(&frames, self.delivery));
        });
        turn::relieve();
    }
}

impl std::fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broadcast")
            .field("namespace", &self.namespace.name)
            .field("selection", &self.selection)
            .finish()
    }
}
