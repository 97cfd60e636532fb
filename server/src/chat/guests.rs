//! People who chat without a connection: each is known by a secret that only their browser has, and has a name that is
//! nobody else's as long as it is remembered.

use super::{Chat, ROOM, check, clean_name};
use crate::Namespace;
use encke_protocol::chat::{Refused, Said, Say};
use std::collections::VecDeque;

/// As many guests have a name of their own. Then whoever has been silent for longest is forgotten.
const MAX_GUESTS: usize = 1_000;

/// Stands behind a guest's name: others see why they are not among those who are here.
pub(super) const MARK: &str = " (plain)";

/// The chat for those who have no connection. A secret tells them apart: a name belongs to one of them as long as they are
/// among the last thousand that spoke.
#[derive(Clone, Debug)]
pub struct Guests {
    chat: Chat,
    namespace: Namespace,
}

/// What a guest is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestName {
    /// By themselves.
    pub wish: String,
    /// By others: marked, and made different from everybody else's.
    pub name: String,
}

/// Why a guest's message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestRefused {
    /// The name is empty or too long.
    Name(Refused),
    /// The message is.
    Message(Refused),
}

impl Guests {
    pub(super) fn new(chat: Chat, namespace: Namespace) -> Self {
        Self { chat, namespace }
    }

    /// What the guest of that secret is called. None when they have said nothing yet, or nothing for long.
    pub fn find(&self, secret: &str) -> Option<GuestName> {
        let state = self.chat.lock();
        let (wish, name) = state.guests.find(secret)?;
        Some(GuestName { wish: wish.to_owned(), name: name.to_owned() })
    }

    /// A guest says something to everybody.
    ///
    /// # Errors
    /// The name or text is empty or too long.
    pub fn say(&self, secret: &str, name: &str, say: Say) -> Result<Said, GuestRefused> {
        let wish = clean_name(name).map_err(GuestRefused::Name)?;
        check(&say).map_err(GuestRefused::Message)?;
        let mut state = self.chat.lock();
        if let Some(said) = state.history.taken(&say.key) {
            return Ok(said);
        }
        let name = state.name_guest(secret, &wish);
        // Under the lock, as what others say: messages are sent in the order of their numbers, and nobody who joins
        // meanwhile misses this one or gets it twice.
        Ok(state.post(&self.namespace.to(ROOM), name, say))
    }
}

/// Those who have said something, the last one at the end.
#[derive(Default)]
pub(super) struct Known(VecDeque<Guest>);

struct Guest {
    secret: String,
    wish: String,
    name: String,
}

impl Known {
    /// The name that the guest asked for, and the one that others see.
    pub(super) fn find(&self, secret: &str) -> Option<(&str, &str)> {
        let guest = self.0.iter().find(|guest| guest.secret == secret)?;
        Some((&guest.wish, &guest.name))
    }

    /// Takes the guest out to be named anew; the name others saw.
    pub(super) fn take(&mut self, secret: &str) -> Option<String> {
        let index = self.0.iter().position(|guest| guest.secret == secret)?;
        self.0.remove(index).map(|guest| guest.name)
    }

    /// Remembers a guest who is not there. The name of one who is forgotten for it.
    pub(super) fn insert(&mut self, secret: &str, wish: &str, name: &str) -> Option<String> {
        let forgotten = if self.0.len() < MAX_GUESTS { None } else { self.0.pop_front() };
        let [secret, wish, name] = [secret, wish, name].map(str::to_owned);
        self.0.push_back(Guest { secret, wish, name });
        forgotten.map(|guest| guest.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_silent_for_longest_is_forgotten() {
        let mut guests = Known::default();
        for number in 0..MAX_GUESTS {
            assert_eq!(guests.insert(&number.to_string(), "Ann", &format!("Ann {number}")), None);
        }
        assert_eq!(guests.take("0").as_deref(), Some("Ann 0"));
        assert_eq!(guests.insert("0", "Ann", "Ann 0"), None, "spoke again");
        assert_eq!(guests.insert("new", "Bob", "Bob").as_deref(), Some("Ann 1"));
        assert_eq!(guests.find("1"), None);
        assert_eq!(guests.find("0"), Some(("Ann", "Ann 0")));
    }

    #[test]
    fn the_name_of_a_guest_who_is_forgotten_is_free() {
        let chat = Chat::new(crate::chat::HistoryLimits::default());
        let mut state = chat.lock();
        for number in 0..=MAX_GUESTS {
            let wish = format!("guest {number}");
            assert_eq!(state.name_guest(&number.to_string(), &wish), format!("{wish}{MARK}"));
        }
        assert_eq!(state.name_guest("new", "guest 0"), format!("guest 0{MARK}"));
        assert_eq!(
            state.name_guest("newer", &format!("guest {MAX_GUESTS}")),
            format!("guest {MAX_GUESTS} 2{MARK}")
        );
    }
}
