//! Pages that were refused, as the log tells of them: each once for everybody to see, and then for those who look closely,
//! since a page that is refused asks again and again.

use crate::lock;
use std::collections::VecDeque;
use std::sync::Mutex;

/// As many are known to have been told of.
const REMEMBERED: usize = 32;
/// Bytes that are kept and logged of what a page is called; a name has 253 at most.
const MAX_NAME: usize = 300;

/// What is known of a page that may not ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    /// Its origin, as `Origin` or `Referer` say.
    Origin(String),
    /// How it is related to this host (`Sec-Fetch-Site`).
    Site(String),
    /// Nothing.
    Unidentified,
}

impl Stranger {
    pub(super) fn with_origin(origin: &str) -> Self {
        Self::Origin(short(origin))
    }

    pub(super) fn of_site(site: &str) -> Self {
        Self::Site(short(site))
    }
}

fn short(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_NAME)].to_owned()
}

/// Those that came last.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<VecDeque<Stranger>>);

impl Strangers {
    /// Tells the log of a page that is refused.
    pub(super) fn log(&self, stranger: Stranger) {
        const WORDS: &str = "a page was refused, since ServerBuilder::origins does not allow its origin";
        let (origin, site) = match &stranger {
            Stranger::Origin(origin) => (Some(tracing::field::debug(origin)), None),
            Stranger::Site(site) => (None, Some(tracing::field::debug(site))),
            Stranger::Unidentified => (None, None),
        };
        if self.is_new(&stranger) {
            tracing::warn!(origin, sec_fetch_site = site, "{WORDS}");
        } else {
            tracing::debug!(origin, sec_fetch_site = site, "{WORDS}");
        }
    }

    /// Whether it has not been here lately. From now on it has.
    fn is_new(&self, stranger: &Stranger) -> bool {
        let mut last = lock(&self.0);
        if last.contains(stranger) {
            return false;
        }
        if last.len() == REMEMBERED {
            last.pop_front();
        }
        last.push_back(stranger.clone());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_new_once_until_many_others_have_come() {
        let strangers = Strangers::default();
        let stranger = |number: usize| Stranger::with_origin(&format!("http://{number}"));
        for number in 0..REMEMBERED {
            assert!(strangers.is_new(&stranger(number)));
        }
        assert!(!strangers.is_new(&stranger(0)));
        assert!(strangers.is_new(&Stranger::Unidentified));
        assert!(!strangers.is_new(&Stranger::Unidentified));
        assert!(strangers.is_new(&stranger(0)), "forgotten");
        assert_eq!(lock(&strangers.0).len(), REMEMBERED);
    }

    #[test]
    fn of_a_long_name_the_beginning_is_kept() {
        assert_eq!(Stranger::with_origin(&"ä".repeat(200)), Stranger::Origin("ä".repeat(150)));
    }
}
