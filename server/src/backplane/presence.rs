//! Where one session was, and when, so that it can be told which entries of the log were for it.
//!
//! Times are positions of the log, and membership counts as it was at an entry's position, not as it is now.

use super::log::{Audience, Group, Many, Mask};
use std::sync::Arc;

/// Stays that have ended and are remembered. Beyond it the oldest are forgotten, and nothing before their end can be judged.
const MAX_ENDED: usize = 256;
/// Bytes of the names of rooms in such stays; a client may be who chose them.
const MAX_ENDED_NAMES: usize = 16 * 1024;
/// The end of a stay that goes on.
const OPEN: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) struct Presence {
    sid: u128,
    /// The session is there for all entries behind this position.
    start: u64,
    /// Up to this position not everything is remembered.
    forgotten: u64,
    stays: Vec<Stay>,
}

#[derive(Debug)]
struct Stay {
    place: Place,
    /// It was there for the entries behind this position ...
    from: u64,
    /// ... up to this one.
    until: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Room(Arc<str>),
    Server(u32),
}

impl Place {
    fn name_length(&self) -> usize {
        match self {
            Self::Room(name) => name.len(),
            Self::Server(_) => 0,
        }
    }
}

/// Whether they are at most that part of what may be remembered.
fn is_within(ended: impl Iterator<Item = (u64, usize)>, part: usize) -> bool {
    let (count, names) = ended.fold((0, 0), |(count, names), (_, length)| (count + 1, names + length));
    count <= MAX_ENDED / part && names <= MAX_ENDED_NAMES / part
}

impl Presence {
    pub(crate) fn new(sid: u128, server: u32, position: u64) -> Self {
        let stays = vec![Stay { place: Place::Server(server), from: position, until: OPEN }];
        Self { sid, start: position, forgotten: 0, stays }
    }

    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Whether it can be told of every entry behind `position` for whom it was.
    pub(crate) fn knows_since(&self, position: u64) -> bool {
        position >= self.forgotten
    }

    /// The session enters a room behind the entry at `position`.
    pub(crate) fn join(&mut self, room: &str, position: u64) {
        if !self.rooms().any(|open| **open == *room) {
            self.stays.push(Stay { place: Place::Room(room.into()), from: position, until: OPEN });
        }
    }

    /// The session leaves a room behind the entry at `position`. Nothing up to `settled` will be asked for again.
    pub(crate) fn leave(&mut self, room: &str, position: u64, settled: u64) {
        let is_room = |stay: &Stay| matches!(&stay.place, Place::Room(name) if **name == *room);
        self.end(is_room, position, settled);
    }

    /// The session goes on at a server.
    pub(crate) fn move_to(&mut self, server: u32, position: u64, settled: u64) {
        let place = Place::Server(server);
        if !self.stays.iter().any(|stay| stay.until == OPEN && stay.place == place) {
            self.end(|stay| matches!(stay.place, Place::Server(_)), position, settled);
            self.stays.push(Stay { place, from: position, until: OPEN });
        }
    }

    fn end(&mut self, is_meant: impl Fn(&Stay) -> bool, position: u64, settled: u64) {
        let Some(index) = self.stays.iter().position(|stay| stay.until == OPEN && is_meant(stay)) else {
            return;
        };
        self.stays[index].until = position;
        if self.stays[index].from == position {
            // Nothing was sent meanwhile.
            self.stays.swap_remove(index);
        } else {
            self.forget(settled);
        }
    }

    fn forget(&mut self, settled: u64) {
        if is_within(self.ended(), 1) {
            return;
        }
        self.stays.retain(|stay| stay.until > settled);
        if !is_within(self.ended(), 1) {
            let mut ended: Vec<_> = self.ended().collect();
            // Half of them, so that this is not done for each.
            ended.sort_unstable_by_key(|(until, _)| std::cmp::Reverse(*until));
            while !is_within(ended.iter().copied(), 2) {
                self.forgotten = ended.pop().map_or(self.forgotten, |(until, _)| until);
            }
            self.stays.retain(|stay| stay.until > self.forgotten);
        }
    }

    /// Until when each stay was that has ended, and the length of its name.
    fn ended(&self) -> impl Iterator<Item = (u64, usize)> {
        let ended = self.stays.iter().filter(|stay| stay.until != OPEN);
        ended.map(|stay| (stay.until, stay.place.name_length()))
    }

    /// The rooms it is in now.
    pub(crate) fn rooms(&self) -> impl Iterator<Item = &Arc<str>> {
        self.stays.iter().filter(|stay| stay.until == OPEN).filter_map(|stay| match &stay.place {
            Place::Room(room) => Some(room),
            Place::Server(_) => None,
        })
    }

    /// Nothing was for it that has no bit in common with this.
    pub(crate) fn mask(&self) -> Mask {
        let rooms = self.stays.iter().filter_map(|stay| match &stay.place {
            Place::Room(room) => Some(Mask::of(&**room)),
            Place::Server(_) => None,
        });
        rooms.fold(Mask::of(&self.sid), Mask::and)
    }

    /// Whether the entry at `position` was for it.
    pub(crate) fn concerns(&self, position: u64, audience: &Audience) -> bool {
        match audience {
            _ if position <= self.start => false,
            Audience::One(sid) => *sid == self.sid,
            Audience::Many(many) => {
                let Many { among, except, server } = &**many;
                among.as_ref().is_none_or(|among| self.is_of(among, position))
                    && !self.is_of(except, position)
                    && server
                        .is_none_or(|server| self.was_at(position, |place| *place == Place::Server(server)))
            }
        }
    }

    fn is_of(&self, group: &Group, position: u64) -> bool {
        let was_in =
            |room: &str| self.was_at(position, |place| matches!(place, Place::Room(name) if **name == *room));
        group.sockets.contains(&self.sid) || group.rooms.iter().any(|room| was_in(room))
    }

    fn was_at(&self, position: u64, is_meant: impl Fn(&Place) -> bool) -> bool {
        self.stays.iter().any(|stay| stay.from < position && position <= stay.until && is_meant(&stay.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(room: &str) -> Audience {
        let among = Some(Group { rooms: vec![room.into()], sockets: Vec::new() });
        Audience::Many(Box::new(Many { among, ..Many::default() }))
    }

    #[test]
    fn a_room_counts_as_long_as_one_is_in_it() {
        let mut presence = Presence::new(1, 0, 10);
        presence.join("red", 12);
        presence.leave("red", 14, 0);
        presence.join("red", 16);
        let heard: Vec<u64> = (0..20).filter(|at| presence.concerns(*at, &to("red"))).collect();
        assert_eq!(heard, [13, 14, 17, 18, 19]);
    }

    #[test]
    fn coming_and_going_while_nothing_is_sent_leaves_nothing() {
        let mut presence = Presence::new(1, 0, 0);
        for _ in 0..10_000 {
            presence.join("red", 5);
            presence.leave("red", 5, 0);
        }
        assert_eq!(presence.stays.len(), 1);
    }

    #[test]
    fn who_comes_and_goes_all_the_time_is_forgotten_at_some_time_but_never_judged_wrongly() {
        let mut presence = Presence::new(1, 0, 0);
        for position in 0..10_000 {
            presence.join("red", position);
            presence.leave("red", position + 1, 0);
        }
        assert!(presence.stays.len() <= MAX_ENDED + 1);
        assert!(!presence.knows_since(9_000) && presence.knows_since(9_900));
        assert!((9_900..10_000).all(|position| presence.concerns(position + 1, &to("red"))));
        // What is settled is forgotten for nothing.
        for position in 10_000..20_000 {
            presence.join("red", position);
            presence.leave("red", position + 1, position - 100);
        }
        assert!(presence.stays.len() <= MAX_ENDED + 1 && presence.knows_since(19_900));
    }

    #[test]
    fn names_of_rooms_that_were_left_are_bounded() {
        let mut presence = Presence::new(1, 0, 0);
        for position in 0..100 {
            let name = format!("{position:1000}");
            presence.join(&name, position);
            presence.leave(&name, position + 1, 0);
            let names: usize = presence.ended().map(|(_, length)| length).sum();
            assert!(names <= MAX_ENDED_NAMES);
        }
        assert!(!presence.knows_since(80) && presence.knows_since(95));
        assert!(presence.concerns(97, &to(&format!("{:1000}", 96))));
    }
}
