//! All sessions of one server, each in a numbered slot.
//!
//! Owns the slots, the ids and their randomness. A session is found by the slot in its id and counts only when the whole
//! id is equal, so no map is needed and a slot can be used again. Knows nothing of what a session does.

use crate::id::{Randomness, SessionId};
use std::sync::{Arc, RwLock};

/// What stands in a slot.
pub(crate) trait Registered {
    /// The id it was made with.
    fn id(&self) -> SessionId;
}

#[derive(Debug)]
pub(crate) struct Registry<T> {
    node: Box<str>,
    randomness: Randomness,
    slots: RwLock<Slots<T>>,
}

#[derive(Debug)]
struct Slots<T> {
    entries: Vec<Option<Arc<T>>>,
    free: Vec<u32>,
    limit: usize,
}

impl<T> Slots<T> {
    fn taken(&self) -> usize {
        self.entries.len() - self.free.len()
    }
}

impl<T: Registered> Registry<T> {
    /// A registry for at most `limit` sessions at a time.
    pub(crate) fn new(node: &str, limit: usize) -> Self {
        let slots = Slots { entries: Vec::new(), free: Vec::new(), limit };
        Self { node: node.into(), randomness: Randomness::new(), slots: RwLock::new(slots) }
    }

    /// Puts what `make` makes into a free slot; none when the registry is full.
    pub(crate) fn insert(&self, make: impl FnOnce(SessionId) -> Arc<T>) -> Option<Arc<T>> {
        let random = self.randomness.next();
        let mut slots = self.slots.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if slots.taken() >= slots.limit {
            return None;
        }
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None => {
                slots.entries.push(None);
                u32::try_from(slots.entries.len() - 1).ok()?
            }
        };
        let made = make(SessionId::new(slot, random));
        slots.entries[slot as usize] = Some(made.clone());
        Some(made)
    }

    /// The session of that id, as it stands in a query.
    pub(crate) fn find(&self, text: &str) -> Option<Arc<T>> {
        let id = SessionId::decode(&self.node, text)?;
        self.occupant(id.slot()).filter(|found| found.id() == id)
    }

    /// The session in that slot if it is of that generation.
    pub(crate) fn at(&self, slot: u32, generation: u32) -> Option<Arc<T>> {
        self.occupant(slot).filter(|found| found.id().generation() == generation)
    }

    /// Frees the slot of that session. Nothing happens when it is gone already.
    pub(crate) fn remove(&self, id: SessionId) {
        let mut slots = self.slots.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(entry) = slots.entries.get_mut(id.slot() as usize) else { return };
        if entry.as_ref().is_some_and(|found| found.id() == id) {
            let gone = entry.take();
            slots.free.push(id.slot());
            // Whatever it frees, it does so after the lock.
            drop(slots);
            drop(gone);
        }
    }

    /// Everybody who is there now.
    pub(crate) fn all(&self) -> Vec<Arc<T>> {
        self.read().entries.iter().flatten().cloned().collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.read().taken() == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        let slots = self.read();
        slots.taken() >= slots.limit
    }

    /// The id as the client knows it.
    pub(crate) fn name(&self, id: SessionId) -> String {
        id.encode(&self.node)
    }

    /// 128 bits nobody can guess.
    pub(crate) fn random(&self) -> u128 {
        self.randomness.next()
    }

    fn occupant(&self, slot: u32) -> Option<Arc<T>> {
        self.read().entries.get(slot as usize)?.clone()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Slots<T>> {
        self.slots.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Item(SessionId);

    impl Registered for Item {
        fn id(&self) -> SessionId {
            self.0
        }
    }

    fn insert(registry: &Registry<Item>) -> Option<Arc<Item>> {
        registry.insert(|id| Arc::new(Item(id)))
    }

    #[test]
    fn a_session_is_found_by_its_whole_id() {
        let registry = Registry::new("n1", 10);
        let item = insert(&registry).expect("room");
        let name = registry.name(item.0);
        assert!(registry.find(&name).is_some());
        let last = if name.ends_with('A') { 'B' } else { 'A' };
        let other = format!("{}{last}", &name[..name.len() - 1]);
        assert!(registry.find(&other).is_none(), "same slot, other secret");
    }

    #[test]
    fn a_slot_is_used_again_and_the_old_id_is_unknown() {
        let registry = Registry::new("", 10);
        let first = insert(&registry).expect("room");
        registry.remove(first.0);
        registry.remove(first.0);
        let second = insert(&registry).expect("room");
        assert_eq!(second.0.slot(), first.0.slot());
        assert!(registry.find(&registry.name(first.0)).is_none());
        assert!(registry.at(first.0.slot(), first.0.generation()).is_none());
        registry.remove(first.0);
        assert!(registry.find(&registry.name(second.0)).is_some(), "an old id removes nobody else");
    }

    #[test]
    fn a_full_registry_takes_nobody_until_somebody_leaves() {
        let registry = Registry::new("", 2);
        let first = insert(&registry).expect("room");
        insert(&registry).expect("room");
        assert!(insert(&registry).is_none());
        registry.remove(first.0);
        assert!(insert(&registry).is_some());
        assert_eq!(registry.all().len(), 2);
        assert!(!registry.is_empty());
    }
}
