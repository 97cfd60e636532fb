//! People who chat without a connection: each is known by a secret that only their browser has, and has a name that is
//! nobody else's as long as it is remembered.

use std::collections::VecDeque;

/// As many guests have a name of their own. Then whoever has been silent for longest is forgotten.
const MAX_GUESTS: usize = 1_000;

/// Stands behind a guest's name: others see why they are not among those who are here.
pub(super) const MARK: &str = " (plain)";

/// Those who have said something, the last one at the end.
#[derive(Default)]
pub(super) struct Guests(VecDeque<Guest>);

struct Guest {
    secret: String,
    wish: String,
    name: String,
}

impl Guests {
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
        let mut guests = Guests::default();
        for number in 0..MAX_GUESTS {
            assert_eq!(guests.insert(&number.to_string(), "Ann", &format!("Ann {number}")), None);
        }
        assert_eq!(guests.take("0").as_deref(), Some("Ann 0"));
        assert_eq!(guests.insert("0", "Ann", "Ann 0"), None, "spoke again");
        assert_eq!(guests.insert("new", "Bob", "Bob").as_deref(), Some("Ann 1"));
        assert_eq!(guests.find("1"), None);
        assert_eq!(guests.find("0"), Some(("Ann", "Ann 0")));
    }
}
