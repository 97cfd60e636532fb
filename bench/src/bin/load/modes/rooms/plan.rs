//! Who is in which room, and which message goes into which: all by arithmetic, so that there is no table of it.
//!
//! Members of a room stand apart by equal steps; its publisher is the first. Messages are numbered from 1 on and go into the
//! rooms in turn.

/// How many of everything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) clients: u32,
    pub(super) rooms: u32,
    /// Of each room; no more than there are clients.
    pub(super) members: u32,
}

impl Plan {
    /// All memberships.
    pub(super) fn places(self) -> usize {
        self.rooms as usize * self.members as usize
    }

    /// How many get a message.
    pub(super) fn recipients(self) -> usize {
        self.members as usize - 1
    }

    fn step(self) -> u32 {
        self.clients / self.members
    }

    /// The client that is this member of that room.
    pub(super) fn member(self, room: u32, member: u32) -> u32 {
        (room % self.clients + member * self.step()) % self.clients
    }

    /// Where that message goes.
    pub(super) fn room(self, number: u32) -> u32 {
        (number - 1) % self.rooms
    }

    /// The place of that client among all memberships, if the message is for it.
    pub(super) fn recipient(self, number: u32, client: usize) -> Option<usize> {
        let room = self.room(number.max(1));
        let ahead = (u32::try_from(client).ok()? + self.clients - room % self.clients) % self.clients;
        let member = ahead / self.step();
        let is_recipient =
            number > 0 && ahead.is_multiple_of(self.step()) && (1..self.members).contains(&member);
        is_recipient.then(|| room as usize * self.members as usize + member as usize)
    }

    /// The message that comes in the same room behind that one; the room's first if there was none.
    pub(super) fn behind(self, last: u32, number: u32) -> u32 {
        if last == 0 { self.room(number) + 1 } else { last + self.rooms }
    }

    /// The rooms of a client.
    pub(super) fn memberships(self, client: u32) -> Memberships {
        Memberships { plan: self, client, member: 0, lap: 0 }
    }
}

/// The rooms of one client, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memberships {
    plan: Plan,
    client: u32,
    member: u32,
    /// Rooms of the same members lie as far apart as there are clients.
    lap: u32,
}

impl Iterator for Memberships {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let Self { plan, client, .. } = *self;
        while self.member < plan.members {
            let first = (client + plan.clients - self.member * plan.step()) % plan.clients;
            let room = first + self.lap * plan.clients;
            if room < plan.rooms {
                self.lap += 1;
                return Some(room);
            }
            (self.member, self.lap) = (self.member + 1, 0);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANS: [Plan; 4] = [
        Plan { clients: 100, rooms: 10, members: 10 },
        Plan { clients: 100, rooms: 1_000, members: 10 },
        Plan { clients: 7, rooms: 23, members: 3 },
        Plan { clients: 5, rooms: 2, members: 5 },
    ];

    #[test]
    fn who_joins_a_room_is_who_is_its_member() {
        for plan in PLANS {
            let mut joined: Vec<(u32, u32)> = (0..plan.clients)
                .flat_map(|client| plan.memberships(client).map(move |room| (room, client)))
                .collect();
            let mut members: Vec<_> = (0..plan.rooms)
                .flat_map(|room| (0..plan.members).map(move |member| (room, plan.member(room, member))))
                .collect();
            joined.sort_unstable();
            members.sort_unstable();
            assert_eq!(joined, members);
            members.dedup();
            assert_eq!(members.len(), plan.places(), "each is a member once");
        }
    }

    #[test]
    fn a_message_is_for_all_members_but_its_publisher_each_at_a_place_of_their_own() {
        for plan in PLANS {
            let mut places = Vec::new();
            for number in 1..=plan.rooms {
                let of_message: Vec<_> =
                    (0..plan.clients as usize).filter_map(|client| plan.recipient(number, client)).collect();
                assert_eq!(of_message.len(), plan.recipients());
                let publisher = plan.member(plan.room(number), 0);
                assert_eq!(plan.recipient(number, publisher as usize), None);
                places.extend(of_message);
            }
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), plan.rooms as usize * plan.recipients());
            assert!(places.iter().all(|place| *place < plan.places()));
            assert_eq!(plan.recipient(0, 0), None);
        }
    }

    #[test]
    fn messages_of_a_room_follow_each_other_by_the_number_of_rooms() {
        let plan = PLANS[0];
        assert_eq!(plan.behind(0, 13), 3, "the room's first message was missed");
        assert_eq!(plan.behind(3, 13), 13);
        assert_eq!((plan.room(3), plan.room(13)), (2, 2));
    }
}
