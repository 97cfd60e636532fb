//! Sockets that are sent to together: a room, or everybody in a namespace.
//!
//! Owns the members and the order of what is sent to them: a sender queues for all members under the room's lock, so every
//! member sees the same order, and a socket that joins sees all that is sent from then on. Queueing costs nanoseconds a
//! member; writing happens later, outside the lock.

use super::Socket;
use std::sync::Mutex;

/// Where a socket stands in one room.
pub(crate) type Place = u32;

#[derive(Debug, Default)]
pub(crate) struct Room {
    members: Mutex<Members>,
}

/// Members stay where they are, so that leaving needs no search.
#[derive(Debug, Default)]
pub(crate) struct Members {
    places: Vec<Option<Socket>>,
    free: Vec<Place>,
}

impl Members {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.places.iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

impl Room {
    pub(crate) fn join(&self, socket: Socket) -> Place {
        let mut members = crate::lock(&self.members);
        if let Some(place) = members.free.pop() {
            members.places[place as usize] = Some(socket);
            return place;
        }
        members.places.push(Some(socket));
        Place::try_from(members.places.len() - 1).expect("fewer than 4 billion sockets")
    }

    /// Takes out the member at `place`; true when the room is empty now.
    pub(crate) fn leave(&self, place: Place) -> bool {
        let mut members = crate::lock(&self.members);
        let gone = members.places.get_mut(place as usize).and_then(Option::take);
        if gone.is_some() {
            members.free.push(place);
        }
        let empty = members.len() == 0;
        if empty {
            *members = Members::default();
        }
        drop(members);
        empty
    }

    /// Holds the members and their order while `work` runs.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Members) -> T) -> T {
        work(&crate::lock(&self.members))
    }
}
