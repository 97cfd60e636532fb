//! Who is in a namespace, and in which of its rooms.
//!
//! Owns the rooms by name, and the one way from a [`Selection`] to sockets. Locks are taken in one order: a socket's state,
//! the map of rooms, rooms by their addresses. So no socket's state may be asked for while rooms are held.

use super::room::{Members, Place, Room};
use super::selection::{Group, Selection};
use super::{Socket, SocketId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// Single sockets to be left out are looked for one by one up to so many.
const MAX_COMPARED: usize = 8;

/// The rooms of one namespace and who is in them.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    everybody: Room,
    /// Where everybody stands.
    places: Mutex<HashMap<SocketId, Place>>,
    /// Rooms with somebody in them.
    rooms: RwLock<HashMap<Arc<str>, Arc<Room>>>,
}

/// Those whom a selection means, found but not held yet.
pub(super) enum Audience<'a> {
    Everybody(&'a Room, &'a [SocketId]),
    Room(Arc<Room>, &'a [SocketId]),
    Several {
        /// With whether those in it are left out.
        rooms: Vec<(RoomRef<'a>, bool)>,
        sockets: Vec<Socket>,
        except: Vec<SocketId>,
    },
}

pub(super) enum RoomRef<'a> {
    Everybody(&'a Room),
    Named(Arc<Room>),
}

impl Roster {
    /// A socket enters the namespace.
    pub(super) fn come(&self, socket: Socket) -> Place {
        let id = socket.id();
        let place = self.everybody.join(socket);
        crate::lock(&self.places).insert(id, place);
        place
    }

    /// A socket leaves the namespace.
    pub(super) fn go(&self, id: SocketId, place: Place) {
        let mut places = crate::lock(&self.places);
        // Not that of another socket of the same id.
        if places.get(&id) == Some(&place) {
            places.remove(&id);
        }
        drop(places);
        drop(self.everybody.leave(place));
    }

    /// A socket enters a room.
    pub(super) fn enter(&self, name: &str, socket: Socket) -> (Arc<str>, Arc<Room>, Place) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let (name, room) = match rooms.get_key_value(name) {
            Some((name, room)) => (name.clone(), room.clone()),
            None => {
                let (name, room): (Arc<str>, _) = (name.into(), Arc::new(Room::default()));
                rooms.insert(name.clone(), room.clone());
                (name, room)
            }
        };
        // Under the lock of the map: an empty room is taken out of it there.
        let place = room.join(socket);
        (name, room, place)
    }

    /// A socket leaves a room.
    pub(super) fn quit(&self, name: &str, room: &Room, place: Place) {
        let mut rooms = self.rooms.write().unwrap_or_else(PoisonError::into_inner);
        let (gone, empty) = room.leave(place);
        if empty {
            rooms.remove(name);
        }
        drop(rooms);
        // Perhaps the last of the socket: its values are the application's.
        drop(gone);
    }

    pub(super) fn len(&self) -> usize {
        self.everybody.with(Members::len)
    }

    /// The rooms with somebody in them.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.rooms().keys().cloned().collect()
    }

    /// The socket of that id, if it is here.
    pub(super) fn find(&self, id: SocketId) -> Option<Socket> {
        let place = *crate::lock(&self.places).get(&id)?;
        // It may have left since, and another stand there.
        self.everybody.with(|members| members.at(place).cloned()).filter(|found| found.id() == id)
    }

    /// Looks up whom a selection means; none when that is nobody.
    pub(super) fn audience<'a>(&'a self, selection: &'a Selection) -> Option<Audience<'a>> {
        let except = &selection.except;
        if except.rooms.is_empty() && except.sockets.len() <= MAX_COMPARED {
            match &selection.among {
                None => return Some(Audience::Everybody(&self.everybody, &except.sockets)),
                Some(Group { rooms, sockets }) if rooms.len() == 1 && sockets.is_empty() => {
                    let room = self.rooms().get(&*rooms[0])?.clone();
                    return Some(Audience::Room(room, &except.sockets));
                }
                Some(_) => {}
            }
        }
        self.audience_of_several(selection)
    }

    fn audience_of_several<'a>(&'a self, selection: &'a Selection) -> Option<Audience<'a>> {
        // Before anything is held: who is found in vain may be the last handle of an application's values.
        let among = selection.among.iter().flat_map(|among| &*among.sockets);
        let sockets: Vec<Socket> = among.filter_map(|id| self.find(*id)).collect();
        let named = self.rooms();
        let found = |group: &Group, excepted: bool| {
            let rooms = group.rooms.iter().filter_map(|name| named.get(&**name));
            rooms.map(|room| (RoomRef::Named(room.clone()), excepted)).collect::<Vec<_>>()
        };
        let mut rooms = match &selection.among {
            None => vec![(RoomRef::Everybody(&self.everybody), false)],
            Some(among) => found(among, false),
        };
        if rooms.is_empty() && sockets.is_empty() {
            return None;
        }
        rooms.extend(found(&selection.except, true));
        // What is left out comes first and stays where a room is named twice.
        rooms.sort_unstable_by_key(|(room, excepted)| (room.address(), !excepted));
        rooms.dedup_by_key(|(room, _)| room.address());
        Some(Audience::Several { rooms, sockets, except: selection.except.sockets.to_vec() })
    }

    fn rooms(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Arc<Room>>> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audience<'_> {
    /// Holds them and their order while each is handed to `visit`, once.
    pub(super) fn each(self, mut visit: impl FnMut(&Socket)) {
        match self {
            Self::Everybody(room, except) => room.with(|members| members.each(except, visit)),
            Self::Room(room, except) => room.with(|members| members.each(except, visit)),
            Self::Several { rooms, sockets, mut except } => {
                let held: Vec<(MutexGuard<'_, Members>, bool)> =
                    rooms.iter().map(|(room, excepted)| (room.lock(), *excepted)).collect();
                let members = |of_excepted| {
                    let rooms = held.iter().filter(move |(_, excepted)| *excepted == of_excepted);
                    rooms.flat_map(|(members, _)| members.iter())
                };
                except.extend(members(true).map(Socket::id));
                except.sort_unstable();
                let mut found: Vec<(SocketId, &Socket)> =
                    members(false).chain(&sockets).map(|socket| (socket.id(), socket)).collect();
                found.sort_unstable_by_key(|(id, _)| *id);
                found.dedup_by_key(|(id, _)| *id);
                found.retain(|(id, _)| except.binary_search(id).is_err());
                found.into_iter().for_each(|(_, socket)| visit(socket));
            }
        }
    }
}

impl RoomRef<'_> {
    fn lock(&self) -> MutexGuard<'_, Members> {
        self.room().lock()
    }

    fn address(&self) -> *const Room {
        self.room()
    }

    fn room(&self) -> &Room {
        match self {
            Self::Everybody(room) => room,
            Self::Named(room) => room,
        }
    }
}

#[cfg(test)]
mod tests;
