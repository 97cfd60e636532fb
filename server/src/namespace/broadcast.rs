//! One event to many: framed once, queued for every recipient in the same order, the same bytes for all.

use super::peer::Delivery;
use super::room::Room;
use super::{Args, Arguments, NamespaceCore, Socket, args, encode};
use crate::turn;
use encke_protocol::contract::{Event, HeardByClient};
use std::sync::Arc;

/// Who is to be sent an event. Made by [`Socket::broadcast`], [`Socket::to`] or [`super::Namespace::everybody`], [`super::Namespace::to`].
#[derive(Clone)]
#[must_use = "nothing is sent before emit"]
pub struct Broadcast {
    namespace: Arc<NamespaceCore>,
    /// None: everybody in the namespace.
    room: Option<Box<str>>,
    except: Option<Socket>,
    delivery: Delivery,
}

impl Broadcast {
    pub(super) fn everybody(namespace: Arc<NamespaceCore>) -> Self {
        Self { namespace, room: None, except: None, delivery: Delivery::Queued }
    }

    /// Only those in that room.
    pub fn to(mut self, room: &str) -> Self {
        self.room = Some(room.into());
        self
    }

    /// Everybody but that one.
    pub fn except_socket(mut self, socket: &Socket) -> Self {
        self.except = Some(socket.clone());
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
        let room;
        let room: &Room = match &self.room {
            None => &self.namespace.everybody,
            Some(name) => match self.namespace.find_room(name) {
                Some(found) => {
                    room = found;
                    &room
                }
                None => return,
            },
        };
        turn::run(|| {
            let frames = encode::event(&self.namespace.name, None, name, args);
            room.with(|members| {
                for member in members.iter().filter(|member| Some(*member) != self.except.as_ref()) {
                    member.push_as(&frames, self.delivery);
                }
            });
        });
        turn::relieve();
    }
}

impl std::fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Broadcast")
            .field("namespace", &self.namespace.name)
            .field("room", &self.room)
            .finish()
    }
}
