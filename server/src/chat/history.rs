//! The last messages, bounded by number and bytes, and the keys that were taken lately.

use encke_protocol::chat::{Posted, Said};
use std::collections::{HashMap, VecDeque};

/// What the history may hold.
#[derive(Clone, Copy, Debug)]
pub struct HistoryLimits {
    /// Messages for newcomers.
    pub max_messages: usize,
    /// Bytes of their texts, names and keys together.
    pub max_bytes: usize,
    /// Keys that are remembered, so that a message that is sent again is not shown again.
    pub max_keys: usize,
}

impl Default for HistoryLimits {
    /// 200 messages of together 256 KiB, 10,000 keys.
    fn default() -> Self {
        Self { max_messages: 200, max_bytes: 256 * 1024, max_keys: 10_000 }
    }
}

pub(super) struct History {
    limits: HistoryLimits,
    messages: VecDeque<Posted>,
    bytes: usize,
    last_id: u64,
    taken: HashMap<String, Said>,
    /// The keys in `taken`, oldest first.
    keys: VecDeque<String>,
}

impl History {
    pub(super) fn new(limits: HistoryLimits) -> Self {
        let (messages, taken, keys) = (VecDeque::new(), HashMap::new(), VecDeque::new());
        Self { limits, messages, bytes: 0, last_id: 0, taken, keys }
    }

    /// Oldest first.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Posted> {
        self.messages.iter()
    }

    /// How the message of that key was answered, if it was taken already.
    pub(super) fn taken(&self, key: &str) -> Option<Said> {
        self.taken.get(key).copied()
    }

    /// The next message's number.
    pub(super) fn next(&mut self, at: u64) -> Said {
        self.last_id += 1;
        Said { id: self.last_id, at }
    }

    pub(super) fn push(&mut self, posted: Posted) {
        self.taken.insert(posted.key.clone(), Said { id: posted.id, at: posted.at });
        self.keys.push_back(posted.key.clone());
        while self.keys.len() > self.limits.max_keys {
            if let Some(key) = self.keys.pop_front() {
                self.taken.remove(&key);
            }
        }
        self.bytes += size(&posted);
        self.messages.push_back(posted);
        while self.messages.len() > self.limits.max_messages || self.bytes > self.limits.max_bytes {
            let Some(oldest) = self.messages.pop_front() else { break };
            self.bytes -= size(&oldest);
        }
    }
}

fn size(posted: &Posted) -> usize {
    posted.text.len() + posted.name.len() + posted.key.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(limits: HistoryLimits, texts: &[&str]) -> History {
        let mut history = History::new(limits);
        for text in texts {
            let Said { id, at } = history.next(0);
            let (key, name, text) = (format!("k{id}"), "n".to_owned(), (*text).to_owned());
            history.push(Posted { id, key, name, text, at });
        }
        history
    }

    fn texts(history: &History) -> Vec<&str> {
        history.messages().map(|posted| posted.text.as_str()).collect()
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let limits = HistoryLimits { max_messages: 2, ..HistoryLimits::default() };
        assert_eq!(texts(&filled(limits, &["a", "b", "c"])), ["b", "c"]);
    }

    #[test]
    fn the_oldest_goes_when_they_are_too_long() {
        // Each has three bytes more for name and key.
        let limits = HistoryLimits { max_bytes: 20, ..HistoryLimits::default() };
        assert_eq!(texts(&filled(limits, &["aaaa", "bbbb", "cccccccccc"])), ["bbbb", "cccccccccc"]);
        assert_eq!(texts(&filled(limits, &["aaaa", "bbbb", "ccccccccccc"])), ["ccccccccccc"]);
    }

    #[test]
    fn a_key_is_known_as_long_as_the_window_is() {
        let limits = HistoryLimits { max_keys: 2, max_messages: 1, ..HistoryLimits::default() };
        let history = filled(limits, &["a", "b", "c"]);
        assert_eq!(history.taken("k1"), None);
        assert_eq!(history.taken("k2"), Some(Said { id: 2, at: 0 }), "though it has left the history");
        assert_eq!(history.taken("k3"), Some(Said { id: 3, at: 0 }));
    }
}
