//! Whom something is for, as plain data: rooms and sockets by name, so that it could be said to another server.
//!
//! Owns what the words `to` and `except` mean. Knows nobody: who is in a room at a moment is the [roster](super::roster)'s.

use super::SocketId;
use std::borrow::Cow;
use std::sync::Arc;

/// Everybody, or whoever is in any of several rooms; without those in others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// None: everybody.
    pub(crate) among: Option<Group>,
    pub(crate) except: Group,
}

/// Those in any of some rooms, and some single sockets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Group {
    pub(crate) rooms: Few<Box<str>>,
    pub(crate) sockets: Few<SocketId>,
}

impl Selection {
    pub(crate) fn to(&mut self, rooms: impl Rooms) {
        self.among.get_or_insert_default().add(rooms);
    }

    pub(crate) fn add_socket(&mut self, socket: SocketId) {
        self.among.get_or_insert_default().sockets.push(socket);
    }

    pub(crate) fn except(&mut self, rooms: impl Rooms) {
        self.except.add(rooms);
    }

    pub(crate) fn except_socket(&mut self, socket: SocketId) {
        self.except.sockets.push(socket);
    }
}

impl Group {
    fn add(&mut self, rooms: impl Rooms) {
        rooms.each(&mut |room| self.rooms.push(room.into()));
    }
}

/// A list that mostly has one item or none, and then needs no memory of its own.
#[derive(Clone, Debug, Default)]
pub(crate) enum Few<T> {
    #[default]
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    pub(crate) fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Self::None => Self::One(item),
            Self::One(first) => Self::Many(vec![first, item]),
            Self::Many(mut items) => {
                items.push(item);
                Self::Many(items)
            }
        };
    }
}

impl<T> std::ops::Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

/// Names of rooms: one, or an array, slice or `Vec` of them.
///
/// ```
/// # fn handler(socket: &encke_server::Socket) {
/// let favourites: Vec<String> = vec!["blue".into(), "green".into()];
/// socket.join("red");
/// socket.join(&favourites);
/// socket.leave(["red", "blue"]);
/// # }
/// ```
pub trait Rooms {
    /// Hands every name to `take`.
    fn each(&self, take: &mut dyn FnMut(&str));
}

impl Rooms for str {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        take(self);
    }
}

impl Rooms for String {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        take(self);
    }
}

impl Rooms for Cow<'_, str> {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        take(self);
    }
}

impl Rooms for Box<str> {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        take(self);
    }
}

impl Rooms for Arc<str> {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        take(self);
    }
}

impl<T: Rooms> Rooms for [T] {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        self.iter().for_each(|rooms| rooms.each(take));
    }
}

impl<T: Rooms, const N: usize> Rooms for [T; N] {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        self.as_slice().each(take);
    }
}

impl<T: Rooms> Rooms for Vec<T> {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        self.as_slice().each(take);
    }
}

impl<T: Rooms + ?Sized> Rooms for &T {
    fn each(&self, take: &mut dyn FnMut(&str)) {
        (**self).each(take);
    }
}
