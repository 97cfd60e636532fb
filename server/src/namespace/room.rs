//! Sockets that are sent to together: a room, or everybody in a namespace.
//!
//! Owns the members and the order of what is sent to them: a sender queues for all members under the room's lock, so every
//! member sees the same order, and a socket that joins sees all that is sent from then on. Queueing costs nanoseconds a
//! member; writing happens later, outside the lock.

use super::{Socket, SocketId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard};

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
    /// Places to be taken again, the lowest first so that the end gets free. Those beyond the end do not count.
    free: BinaryHeap<Reverse<Place>>,
    count: usize,
}

impl Members {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Socket> {
        self.places.iter().flatten()
    }

    /// Hands all but those in `except` to `visit`.
    pub(crate) fn each(&self, except: &[SocketId], visit: impl FnMut(&Socket)) {
        self.iter().filter(|member| !except.contains(&member.id())).for_each(visit);
    }

    pub(crate) fn at(&self, place: Place) -> Option<&Socket> {
        self.places.get(place as usize)?.as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn add(&mut self, socket: Socket) -> Place {
        self.count += 1;
        while let Some(Reverse(place)) = self.free.pop() {
            if let Some(free @ None) = self.places.get_mut(place as usize) {
                *free = Some(socket);
                return place;
            }
        }
        self.places.push(Some(socket));
        Place::try_from(self.places.len() - 1).expect("fewer than 4 billion sockets")
    }

    fn remove(&mut self, place: Place) -> Option<Socket> {
        let gone = self.places.get_mut(place as usize)?.take()?;
        self.count -= 1;
        self.free.push(Reverse(place));
        while let Some(None) = self.places.last() {
            self.places.pop();
        }
        // What a room needs follows how many are in it, and not how many once were.
        if self.places.len() * 4 < self.places.capacity() {
            let end = self.places.len();
            self.places.shrink_to(end * 2);
            self.free.retain(|Reverse(place)| (*place as usize) < end);
            self.free.shrink_to(end);
        }
        Some(gone)
    }
}

impl Room {
    pub(crate) fn join(&self, socket: Socket) -> Place {
        crate::lock(&self.members).add(socket)
    }

    /// Takes out the member at `place`, to be let go of under no lock; and whether the room is empty now.
    pub(crate) fn leave(&self, place: Place) -> (Option<Socket>, bool) {
        let mut members = crate::lock(&self.members);
        (members.remove(place), members.len() == 0)
    }

    /// Holds the members and their order while `work` runs.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Members) -> T) -> T {
        work(&self.lock())
    }

    /// As [`Self::with`]. Whoever holds several rooms takes them in the order of their addresses.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Members> {
        crate::lock(&self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::peer::Doorkeeper;
    use crate::namespace::{Auth, Handlers, Namespace};
    use std::sync::Arc;

    fn socket() -> Socket {
        let peer = Arc::new(Doorkeeper::default());
        Namespace::on_trial(Handlers::default()).knock(peer.clone(), 1, Auth::new(None));
        peer.admitted()
    }

    #[test]
    fn a_room_costs_what_is_in_it_and_places_are_unique() {
        let socket = socket();
        let mut members = Members::default();
        (0..1_000).for_each(|place| assert_eq!(members.add(socket.clone()), place));
        // Every other one, then the rest from behind: free places in between and at the end.
        for place in (0..1_000).step_by(2).chain((11..1_000).step_by(2).rev()) {
            assert!(members.remove(place).is_some() && members.remove(place).is_none());
        }
        assert_eq!((members.len(), members.iter().count()), (5, 5));
        assert!(members.places.capacity() < 100 && members.free.len() < 100);
        let mut places: Vec<Place> = (0..100).map(|_| members.add(socket.clone())).collect();
        assert_eq!((members.len(), members.iter().count()), (105, 105));
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 100);
    }
}
