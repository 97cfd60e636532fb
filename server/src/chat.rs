//! The chat: an application on the server library, which sees only what the library shows to everybody.
//!
//! Owns who is here, the last messages and the keys of those that were taken. All of it, and the order of what is sent,
//! is under one lock: whoever joins gets the history in the ack and every later message behind it, with no hole and no
//! doublet between.

mod history;

pub use history::HistoryLimits;

use crate::{Handlers, Socket, SocketId, TypedAck};
use encke_protocol::chat::{
    Arrived, Join, Joined, Left, MAX_KEY, MAX_NAME, MAX_TEXT, Posted, Refused, Said, Say,
};
use history::History;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everybody who has joined.
const ROOM: &str = "chat";

/// Registers the chat's handlers in a namespace.
pub fn register(on: &mut Handlers, limits: HistoryLimits) {
    let chat = Arc::new(Chat(Mutex::new(State {
        people: Vec::new(),
        names: HashSet::new(),
        history: History::new(limits),
    })));
    let (join, say, leave) = (chat.clone(), chat.clone(), chat);
    on.on_acked(move |socket, event: Join, ack| join.join(socket, &event, ack))
        .on(move |socket, event: Say| say.say(socket, event))
        .on_disconnect(move |socket, _reason| leave.leave(socket));
}

struct Chat(Mutex<State>);

struct State {
    /// In the order in which they came.
    people: Vec<(SocketId, String)>,
    /// Their names in small letters.
    names: HashSet<String>,
    history: History,
}

impl Chat {
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
                let name = state.unique(name);
                state.names.insert(name.to_lowercase());
                state.people.push((socket.id(), name.clone()));
                send(socket.to(ROOM).emit(&Arrived { name: name.clone() }));
                socket.join(ROOM);
                name
            }
        };
        let people = state.people.iter().map(|(_, name)| name.clone()).collect();
        // Under the lock: what is said later is sent later.
        ack.send(&Ok(Joined { name, people, history: state.history.messages().cloned().collect() }));
    }

    fn say(&self, socket: &Socket, Say { key, text }: Say) -> Result<Said, Refused> {
        if text.trim().is_empty() || key.is_empty() {
            return Err(Refused::Empty);
        }
        if text.len() > MAX_TEXT || key.len() > MAX_KEY {
            return Err(Refused::TooLong);
        }
        let mut state = self.lock();
        let name = state.name_of(socket).ok_or(Refused::NotJoined)?.to_owned();
        if let Some(said) = state.history.taken(&key) {
            return Ok(said);
        }
        let said = state.history.next(now());
        let posted = Posted { id: said.id, key, name, text, at: said.at };
        send(socket.to(ROOM).emit(&posted));
        state.history.push(posted);
        Ok(said)
    }

    fn leave(&self, socket: &Socket) {
        let mut state = self.lock();
        if let Some(index) = state.people.iter().position(|(id, _)| *id == socket.id()) {
            let (_, name) = state.people.remove(index);
            state.names.remove(&name.to_lowercase());
            send(socket.to(ROOM).emit(&Left { name }));
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

    /// The name itself, or with the first number that makes it nobody else's.
    fn unique(&self, name: String) -> String {
        let mut unique = name.clone();
        let mut number = 2_u32;
        while self.names.contains(&unique.to_lowercase()) {
            let suffix = format!(" {number}");
            let kept = MAX_NAME - suffix.len();
            unique = name.chars().take(kept).chain(suffix.chars()).collect();
            number += 1;
        }
        unique
    }
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

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The chat's events are strings and numbers, which JSON can always say.
fn send(result: Result<(), serde_json::Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "an event of the chat cannot be written");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        assert_eq!(clean_name("  Ann \u{7}Lee\n"), Ok("Ann  Lee".to_owned()));
        assert_eq!(clean_name("\u{1} Ann\u{1}"), Ok("Ann".to_owned()));
        assert_eq!(clean_name(" \n\u{1}\t"), Err(Refused::Empty));
        assert_eq!(clean_name(&"ä".repeat(MAX_NAME)).map(|name| name.chars().count()), Ok(MAX_NAME));
        assert_eq!(clean_name(&"ä".repeat(MAX_NAME + 1)), Err(Refused::TooLong));
    }
}
