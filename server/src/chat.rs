//! The chat: an application on the server library, which sees only what the library shows to everybody.
//!
//! Owns who is here, the last messages and the keys of those that were taken. All of it, and the order of what is sent,
//! is under one lock: whoever joins gets the history in the ack and every later message behind it, with no hole and no
//! doublet between.
//!
//! People come by a connection, or as [guests](Chat::guests) by requests of any kind that somebody else takes.

mod guests;
mod history;

pub use guests::{GuestName, GuestRefused, Guests};
pub use history::HistoryLimits;

use crate::{Broadcast, Handlers, Namespace, Socket, SocketId, TypedAck};
use encke_protocol::chat::{
    Arrived, Join, Joined, Left, MAX_KEY, MAX_NAME, MAX_TEXT, Posted, Refused, Said, Say,
};
use guests::Known;
use history::History;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everybody who has joined.
const ROOM: &str = "chat";
/// Numbers of namesakes that are tried one by one, so that those that were given up are found.
const MAX_TRIED: usize = 100;

/// The chat. Cheap to clone; clones are the same chat.
#[derive(Clone)]
pub struct Chat(Arc<Mutex<State>>);

struct State {
    /// In the order in which they came.
    people: Vec<(SocketId, String)>,
    guests: Known,
    /// Names of both in small letters.
    names: HashSet<String>,
    history: History,
}

impl Chat {
    /// An empty chat.
    pub fn new(limits: HistoryLimits) -> Self {
        let (people, guests, names) = (Vec::new(), Known::default(), HashSet::new());
        Self(Arc::new(Mutex::new(State { people, guests, names, history: History::new(limits) })))
    }

    /// Registers the chat's handlers in a namespace.
    pub fn register(&self, on: &mut Handlers) {
        let [join, say, leave] = [(); 3].map(|()| self.clone());
        on.on_acked(move |socket, event: Join, ack| join.join(socket, &event, ack))
            .on(move |socket, event: Say| say.say(socket, event))
            .on_disconnect(move |socket, _reason| leave.leave(socket));
    }

    /// The last messages, oldest first.
    pub fn history(&self) -> Vec<Posted> {
        self.lock().history.messages().cloned().collect()
    }

    /// Who is here by a connection, in the order in which they came.
    pub fn people(&self) -> Vec<String> {
        self.lock().names_of_people()
    }

    /// The chat for those who have no connection, to be heard in the namespace where it is registered.
    pub fn guests(&self, namespace: Namespace) -> Guests {
        Guests::new(self.clone(), namespace)
    }

    fn join(&self, socket: &Socket, event: &Join, ack: TypedAck<Join>) {
        let name = match clean_name(&event.name) {
            Ok(name) => name,
            Err(refused) => return ack.send(&Err(refused)),
        };
        let mut state = self.lock();
        let name = match state.name_of(socket) {
            // Asked again, perhaps since the answer was lost: the same answer.
            Some(name) => name.to_owned(),
            None => {
                let name = state.unique(&name, "");
                state.names.insert(name.to_lowercase());
                state.people.push((socket.id(), name.clone()));
                socket.to(ROOM).emit(&Arrived { name: name.clone() });
                socket.join(ROOM);
                name
            }
        };
        let people = state.names_of_people();
        // Under the lock: what is said later is sent later.
        ack.send(&Ok(Joined { name, people, history: state.history.messages().cloned().collect() }));
    }

    fn say(&self, socket: &Socket, say: Say) -> Result<Said, Refused> {
        check(&say)?;
        let mut state = self.lock();
        let name = state.name_of(socket).ok_or(Refused::NotJoined)?.to_owned();
        if let Some(said) = state.history.taken(&say.key) {
            return Ok(said);
        }
        Ok(state.post(&socket.to(ROOM), name, say))
    }

    fn leave(&self, socket: &Socket) {
        let mut state = self.lock();
        if let Some(index) = state.people.iter().position(|(id, _)| *id == socket.id()) {
            let (_, name) = state.people.remove(index);
            state.free(&name);
            socket.to(ROOM).emit(&Left { name });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn name_of(&self, socket: &Socket) -> Option<&str> {
        self.people.iter().find(|(id, _)| *id == socket.id()).map(|(_, name)| name.as_str())
    }

    fn names_of_people(&self) -> Vec<String> {
        self.people.iter().map(|(_, name)| name.clone()).collect()
    }

    /// The name of the guest who wishes to be called so: as before if the wish is the same.
    fn name_guest(&mut self, secret: &str, wish: &str) -> String {
        let same = self.guests.find(secret).is_some_and(|(before, _)| before == wish);
        let before = self.guests.take(secret);
        let name = match before {
            Some(name) if same => name,
            before => {
                before.into_iter().for_each(|name| self.free(&name));
                let name = self.unique(wish, guests::MARK);
                self.names.insert(name.to_lowercase());
                name
            }
        };
        if let Some(forgotten) = self.guests.insert(secret, wish, &name) {
            self.free(&forgotten);
        }
        name
    }

    fn free(&mut self, name: &str) {
        self.names.remove(&name.to_lowercase());
    }

    /// Sends a message and remembers it.
    fn post(&mut self, others: &Broadcast, name: String, Say { key, text }: Say) -> Said {
        let said = self.history.next(now());
        let posted = Posted { id: said.id, key, name, text, at: said.at };
        others.emit(&posted);
        self.history.push(posted);
        said
    }

    /// The name with the mark, and with a number that makes it nobody else's if it is somebody's: the first one, if that is
    /// a small one.
    fn unique(&self, name: &str, mark: &str) -> String {
        let mut number = 1;
        loop {
            let suffix = if number == 1 { mark.to_owned() } else { format!(" {number}{mark}") };
            let unique: String = name.chars().take(MAX_NAME - suffix.len()).chain(suffix.chars()).collect();
            if !self.names.contains(&unique.to_lowercase()) {
                return unique;
            }
            // Everybody waits for the lock: a crowd of namesakes is not looked through, but passed at once.
            number = if number < MAX_TRIED { number + 1 } else { number.max(self.names.len()) + 1 };
        }
    }
}

/// What is wrong with a message whoever says it.
fn check(Say { key, text }: &Say) -> Result<(), Refused> {
    if text.trim().is_empty() || key.is_empty() {
        return Err(Refused::Empty);
    }
    if text.len() > MAX_TEXT || key.len() > MAX_KEY { Err(Refused::TooLong) } else { Ok(()) }
}

/// A name as others see it: one line, no white space around it.
fn clean_name(name: &str) -> Result<String, Refused> {
    let line: String = name.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let name = line.trim();
    if name.chars().count() > MAX_NAME {
        return Err(Refused::TooLong);
    }
    if name.is_empty() { Err(Refused::Empty) } else { Ok(name.to_owned()) }
}

/// The time as messages tell it: milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl std::fmt::Debug for Chat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_many_have_gets_the_first_small_number_or_one_behind_them_all() {
        let chat = Chat::new(HistoryLimits::default());
        let mut state = chat.lock();
        let mut come = || {
            let name = state.unique("Ann", "");
            state.names.insert(name.to_lowercase());
            name
        };
        assert_eq!([come(), come(), come()], ["Ann", "Ann 2", "Ann 3"]);
        let names: HashSet<_> = (0..1_000).map(|_| come()).collect();
        assert_eq!(names.len(), 1_000, "all are different");
        state.free("Ann 2");
        state.free("Ann 700");
        assert_eq!(state.unique("Ann", ""), "Ann 2");
        state.names.insert("ann 2".to_owned());
        assert_eq!(state.unique("Ann", ""), "Ann 1004");
    }

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        assert_eq!(clean_name("  Ann \u{7}Lee\n"), Ok("Ann  Lee".to_owned()));
        assert_eq!(clean_name("\u{1} Ann\u{1}"), Ok("Ann".to_owned()));
        assert_eq!(clean_name(" \n\u{1}\t"), Err(Refused::Empty));
        assert_eq!(clean_name(&"ä".repeat(MAX_NAME)).map(|name| name.chars().count()), Ok(MAX_NAME));
        assert_eq!(clean_name(&"ä".repeat(MAX_NAME + 1)), Err(Refused::TooLong));
    }
}
