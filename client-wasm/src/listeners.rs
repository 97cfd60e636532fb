//! Who wants to hear what.
//!
//! Owns the application's handlers until their guards are dropped. Calls and drops none of them itself while it is
//! borrowed: a handler may add or remove others.

use crate::driver::Driver;
use crate::{Ack, Args, Problem, Refusal};
use encke_protocol::client::{SocketId, State};
use encke_protocol::list;
use encke_protocol::socket::DisconnectReason;
use std::borrow::Cow;
use std::rc::{Rc, Weak};

/// What one can listen to.
#[derive(PartialEq)]
pub(crate) enum Topic {
    State,
    Connect(SocketId),
    Disconnect(SocketId),
    Refused(SocketId),
    Problem(SocketId),
    Event(SocketId, Cow<'static, str>),
}

/// What a listener is told: of the kind of its topic.
pub(crate) enum News<'a> {
    State(&'a State),
    Connect,
    Disconnect(DisconnectReason),
    Refused(&'a Refusal),
    Problem(&'a Problem),
    Event(&'a Args, &'a Ack),
}

/// One type for all, so that there is one copy of the code that keeps and calls them.
pub(crate) type Listener = Rc<dyn Fn(&News<'_>)>;

#[derive(Default)]
pub(crate) struct Listeners {
    last_key: u32,
    /// Ascending by key, so in the order in which they were added.
    entries: Vec<Entry>,
}

struct Entry {
    key: u32,
    topic: Topic,
    once: bool,
    listener: Listener,
}

impl Listeners {
    pub(crate) fn add(&mut self, topic: Topic, once: bool, listener: Listener) -> u32 {
        self.last_key = self.last_key.wrapping_add(1);
        self.entries.push(Entry { key: self.last_key, topic, once, listener });
        self.last_key
    }

    fn remove(&mut self, key: u32) -> Option<Listener> {
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        list::take(&mut self.entries, index).map(|entry| entry.listener)
    }

    /// The next to be told, after the one of key `after`. Who listens once is taken out.
    fn next(&mut self, topic: &Topic, after: u32, last: u32) -> Option<(u32, Listener)> {
        let due = |entry: &Entry| entry.key > after && entry.key <= last && entry.topic == *topic;
        let index = self.entries.iter().position(due)?;
        let entry = self.entries.get(index)?;
        let (key, once) = (entry.key, entry.once);
        let listener =
            if once { list::take(&mut self.entries, index)?.listener } else { entry.listener.clone() };
        Some((key, listener))
    }
}

impl Driver {
    /// Adds a listener; it hears what comes from now on.
    pub(crate) fn listen(self: &Rc<Self>, topic: Topic, once: bool, listener: Listener) -> Guard {
        let key = self.listeners.with(|listeners| listeners.add(topic, once, listener));
        Guard { driver: Rc::downgrade(self), key }
    }

    /// Whether anybody listens to that.
    pub(crate) fn is_heard(&self, topic: &Topic) -> bool {
        self.listeners.with(|listeners| listeners.entries.iter().any(|entry| entry.topic == *topic))
    }

    /// Tells those who listened to it when this began and still do.
    pub(crate) fn announce(&self, topic: &Topic, news: &News<'_>) {
        let (mut after, last) = (0, self.listeners.with(|listeners| listeners.last_key));
        loop {
            let next = self.listeners.with(|listeners| listeners.next(topic, after, last));
            let Some((key, listener)) = next else {
                break;
            };
            listener(news);
            after = key;
        }
    }
}

/// Keeps a handler in place; dropping it takes the handler off.
#[must_use = "dropping the guard takes the handler off at once"]
pub struct Guard {
    driver: Weak<Driver>,
    key: u32,
}

impl Guard {
    /// Leaves the handler in place for as long as the client lives.
    pub fn keep(mut self) {
        self.driver = Weak::new();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.upgrade() {
            // Dropped only after the borrow: what a handler has captured may have guards in it.
            let removed = driver.listeners.with(|listeners| listeners.remove(self.key));
            drop(removed);
        }
    }
}
