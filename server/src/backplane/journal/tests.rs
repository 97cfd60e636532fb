//! The journal against a model: whatever happens, a client that is recovered has received every event that was for it,
//! once, in order.

use super::super::log::{Group, Many, Mask};
use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

const CLIENTS: usize = 3;
const ROOMS: [&str; 3] = ["red", "green", "blue"];
const WINDOW: u64 = 1_000;
const UNNOTICED: u64 = 500;
const NO_LIMIT: usize = usize::MAX;

fn journal(max_bytes: usize, max_parked: usize) -> Journal<usize> {
    journal_among(&Totals::default(), max_bytes, max_parked)
}

fn journal_among(totals: &Totals, max_bytes: usize, max_parked: usize) -> Journal<usize> {
    let mut journal = Journal::new(7, totals);
    let window = std::time::Duration::from_millis(WINDOW);
    journal.widen(&Recovery { window, max_bytes, max_parked }, UNNOTICED);
    journal
}

#[derive(Clone, Debug)]
enum Step {
    Join(usize, usize),
    Leave(usize, usize),
    One(usize),
    /// Rooms and rooms that are left out, as bits; a client that is left out; only this server; volatile.
    Many(u8, u8, Option<usize>, Option<u32>, bool),
    /// So much of what is on its way arrives.
    Arrive(usize, usize),
    /// A heartbeat is sent behind what is on its way.
    Ping(usize),
    /// So many answers to heartbeats arrive.
    Pong(usize, usize),
    Cut(usize),
    /// It asks to come back.
    Claim(usize),
    /// It is let in, at this server.
    LetIn(usize, u32),
    /// It is kept out, or what it asked on a connection that is gone comes to nothing.
    Refuse(usize, bool),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    prop_oneof![
        2 => (client.clone(), 0..ROOMS.len()).prop_map(|(client, room)| Step::Join(client, room)),
        2 => (client.clone(), 0..ROOMS.len()).prop_map(|(client, room)| Step::Leave(client, room)),
        2 => client.clone().prop_map(Step::One),
        6 => (0..8_u8, 0..8_u8, prop::option::weighted(0.2, client.clone()), prop::option::weighted(0.2, 0..2_u32), prop::bool::weighted(0.2))
            .prop_map(|(rooms, except, one, server, volatile)| Step::Many(rooms, except & !rooms & 3, one, server, volatile)),
        4 => (client.clone(), 0..5_usize).prop_map(|(client, count)| Step::Arrive(client, count)),
        4 => client.clone().prop_map(Step::Ping),
        4 => (client.clone(), 0..3_usize).prop_map(|(client, count)| Step::Pong(client, count)),
        2 => client.clone().prop_map(Step::Cut),
        3 => client.clone().prop_map(Step::Claim),
        3 => (client.clone(), 0..2_u32).prop_map(|(client, server)| Step::LetIn(client, server)),
        1 => (client, any::<bool>()).prop_map(|(client, gone)| Step::Refuse(client, gone)),
        2 => (0..400_u64).prop_map(Step::Pass),
    ]
}

#[derive(Debug)]
enum Wire {
    Event(u8, Offset),
    Ping,
}

/// A client, and what the model knows of it.
#[derive(Debug, Default)]
struct Client {
    pid: Option<u128>,
    offset: Option<Offset>,
    connected: bool,
    server: u32,
    rooms: u8,
    wire: VecDeque<Wire>,
    /// Pongs on their way.
    pongs: usize,
    /// Pings without pong, where the first of them was sent, and what the last pong has proved.
    pings: usize,
    beaten: u64,
    settled: u64,
    parked_at: u64,
    /// It asks to come back, perhaps as a new client.
    ask: Option<Option<Claim>>,
    /// Its connections are gone that had asked before.
    gone: Vec<Claim>,
    /// What it has to receive in this session, and has received; events that were volatile are left out.
    due: Vec<u8>,
    received: Vec<u8>,
}

struct World {
    journal: Journal<usize>,
    clients: [Client; CLIENTS],
    now: Timestamp,
    events: u8,
    volatile: Vec<u8>,
    pids: u128,
    /// Bytes that may be sent at once to who comes back.
    limit: usize,
}

impl World {
    fn new(max_bytes: usize, limit: usize) -> Self {
        let journal = journal(max_bytes, 10);
        let clients = Default::default();
        let now = Timestamp::default();
        Self { journal, clients, now, events: 0, volatile: Vec::new(), pids: 0, limit }
    }

    fn step(&mut self, step: Step, provable: bool) {
        match step {
            Step::Join(index, room) if self.clients[index].connected => {
                self.clients[index].rooms |= 1 << room;
                self.journal.join(self.clients[index].pid.expect("connected"), ROOMS[room]);
            }
            Step::Leave(index, room) if self.clients[index].connected => {
                let client = &mut self.clients[index];
                client.rooms &= !(1 << room);
                self.journal.leave(client.pid.expect("connected"), ROOMS[room], client.settled);
            }
            Step::Join(..) | Step::Leave(..) => {}
            Step::One(index) => {
                let Some(pid) = self.clients[index].pid else { return };
                if self.journal.find(pid).is_some() {
                    self.emit(Audience::One(index as u128), false, |other, _| other == index);
                }
            }
            Step::Many(rooms, except_rooms, one, server, volatile) => {
                let names = |bits: u8| {
                    (0..3).filter(|bit| bits & 1 << bit != 0).map(|bit| ROOMS[bit].into()).collect()
                };
                let among = (rooms != 0).then(|| Group { rooms: names(rooms), sockets: Vec::new() });
                let except = Group {
                    rooms: names(except_rooms),
                    sockets: one.iter().map(|one| *one as u128).collect(),
                };
                let audience = Audience::Many(Box::new(Many { among, except, server }));
                self.emit(audience, volatile, |index, client| {
                    (rooms == 0 || rooms & client.rooms != 0)
                        && except_rooms & client.rooms == 0
                        && one != Some(index)
                        && server.is_none_or(|server| server == client.server)
                });
            }
            Step::Arrive(index, count) => self.arrive(index, count),
            Step::Ping(index) if self.clients[index].connected => {
                let client = &mut self.clients[index];
                if client.pings == 0 {
                    client.beaten = self.journal.position();
                }
                client.pings += 1;
                client.wire.push_back(Wire::Ping);
            }
            Step::Ping(_) => {}
            Step::Pong(index, count) => self.clients[index].hear(count),
            Step::Cut(index) => self.cut(index),
            Step::Claim(index) => self.claim(index, provable),
            Step::LetIn(index, server) => self.let_in(index, server, provable),
            Step::Refuse(index, gone) => self.refuse(index, gone),
            Step::Pass(millis) => {
                self.now = self.now.after(millis);
                while let Some(index) = self.journal.expire(self.now) {
                    assert!(!self.clients[index].connected);
                    assert!(self.now.as_millis() >= self.clients[index].parked_at + WINDOW);
                }
            }
        }
    }

    fn emit(&mut self, audience: Audience, volatile: bool, is_meant: impl Fn(usize, &Client) -> bool) {
        self.events += 1;
        let event = self.events;
        if volatile {
            self.volatile.push(event);
        } else {
            self.journal.append(self.now, || (audience, [event].into()));
        }
        let offset = self.journal.last();
        for (index, client) in self.clients.iter_mut().enumerate() {
            if client.pid.is_none() || !is_meant(index, client) {
                continue;
            }
            if client.connected {
                client.wire.push_back(Wire::Event(event, offset));
            }
            if !volatile {
                client.due.push(event);
            }
        }
    }

    fn arrive(&mut self, index: usize, count: usize) {
        let client = &mut self.clients[index];
        for _ in 0..count {
            match client.wire.pop_front() {
                Some(Wire::Event(event, offset)) => {
                    client.offset = Some(offset);
                    if !self.volatile.contains(&event) {
                        client.received.push(event);
                    }
                }
                Some(Wire::Ping) => client.pongs += 1,
                None => return,
            }
        }
    }

    fn cut(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if std::mem::take(&mut client.connected) {
            client.wire.clear();
            client.pongs = 0;
            client.parked_at = self.now.as_millis();
            let gone = self.journal.park(self.now, client.pid.expect("connected"), &index, client.settled);
            assert_eq!(gone, None);
        }
    }

    fn claim(&mut self, index: usize, provable: bool) {
        let client = &mut self.clients[index];
        if client.connected {
            return;
        }
        let since = client.offset.map_or(Since::Start, Since::Offset);
        let in_time = self.now.as_millis() < client.parked_at + WINDOW;
        let returned = client.pid.map(|pid| self.journal.claim(pid, &Comeback { pid: "".into(), since }));
        client.gone.extend(client.ask.take().flatten());
        client.ask = Some(match returned {
            Some(Return::Found(socket, claim)) => {
                assert_eq!(socket, index);
                Some(claim)
            }
            Some(Return::Live(_)) => panic!("its connection has ended"),
            Some(Return::Unknown | Return::Lost(_)) => {
                assert!(!provable || !in_time, "who comes in time is recovered: {client:?}");
                None
            }
            None => None,
        });
    }

    fn let_in(&mut self, index: usize, server: u32, provable: bool) {
        let client = &mut self.clients[index];
        if client.connected {
            return;
        }
        let Some(ask) = client.ask.take() else { return };
        let Some(claim) = ask else { return self.begin(index, server) };
        let in_time = self.now.as_millis() < client.parked_at + WINDOW;
        let Ok(missed) = self.journal.redeem(&claim, self.limit) else {
            assert!(!provable || !in_time, "who comes in time is recovered: {client:?}");
            return;
        };
        assert!(missed.bytes.len() <= self.limit);
        let rooms = ROOMS.iter().map(|room| missed.rooms.iter().filter(|name| ***name == **room).count());
        let is_in = (0..3).map(|bit| usize::from(client.rooms >> bit & 1));
        assert!(rooms.eq(is_in), "it is where it was");
        assert_eq!(self.journal.resume(&claim, server, index), Some(index));
        let offsets = missed.bytes.iter().map(|event| {
            let all = self.journal.log.since(self.journal.log.gone(), Mask::ALL);
            let found = all.filter(|(.., bytes)| **bytes == [*event]).map(|(position, ..)| position);
            let position = found.last().expect("in the log");
            (*event, Offset { epoch: 7, position })
        });
        client.wire.extend(offsets.map(|(event, offset)| Wire::Event(event, offset)));
        (client.connected, client.server) = (true, server);
        (client.pings, client.beaten, client.settled) = (0, 0, 0);
    }

    fn begin(&mut self, index: usize, server: u32) {
        self.pids += 1;
        let client = &mut self.clients[index];
        let (offset, gone) = (client.offset, std::mem::take(&mut client.gone));
        *client = Client { pid: Some(self.pids), offset, gone, connected: true, server, ..Client::default() };
        self.journal.begin(self.pids, index as u128, server, index);
    }

    fn refuse(&mut self, index: usize, gone: bool) {
        let client = &mut self.clients[index];
        let claim = if gone { client.gone.pop() } else { client.ask.take().flatten() };
        if let Some(claim) = claim {
            self.journal.release(&claim);
        }
    }

    /// Everybody comes back and hears all.
    fn end(&mut self) {
        for index in 0..CLIENTS {
            while !self.clients[index].connected {
                self.claim(index, false);
                self.let_in(index, 0, false);
            }
            self.arrive(index, usize::MAX);
            let client = &self.clients[index];
            assert_eq!(client.received, client.due);
        }
    }
}

impl Client {
    fn hear(&mut self, count: usize) {
        for _ in 0..count.min(self.pongs) {
            self.pongs -= 1;
            self.pings -= 1;
            self.settled = self.beaten;
        }
    }
}

/// As long as heartbeats do their work, everything older than they take is settled.
fn beat(world: &mut World) {
    // The first may be for what was sent before older ones that are out.
    for index in (0..CLIENTS).chain(0..CLIENTS) {
        world.step(Step::Ping(index), false);
        world.arrive(index, usize::MAX);
        world.clients[index].hear(usize::MAX);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]

    #[test]
    fn who_is_recovered_has_received_everything_once(steps in prop::collection::vec(step(), 0..80), tight in any::<bool>(), little in any::<bool>()) {
        let mut world = World::new(if tight { 1_000 } else { NO_LIMIT }, if little { 3 } else { NO_LIMIT });
        steps.into_iter().for_each(|step| world.step(step, false));
        world.end();
    }

    #[test]
    fn who_comes_in_time_is_recovered(steps in prop::collection::vec(step(), 0..80)) {
        let mut world = World::new(NO_LIMIT, NO_LIMIT);
        for step in steps {
            // Who is cut off again before it has received what it missed has the time since it was first cut off.
            let beats = matches!(step, Step::LetIn(..));
            if matches!(step, Step::Pass(_)) {
                beat(&mut world);
            }
            world.step(step, true);
            if beats {
                beat(&mut world);
            }
        }
        world.end();
    }
}

fn parked(since: Since, max_parked: usize) -> (Journal<usize>, Comeback<'static>) {
    let mut journal = journal(NO_LIMIT, max_parked);
    journal.begin(1, 1, 0, 1);
    journal.append(Timestamp::default(), || (Audience::One(1), [1].into()));
    journal.park(Timestamp::default(), 1, &1, 0);
    (journal, Comeback { pid: "".into(), since })
}

#[test]
fn an_offset_that_nobody_gave_recovers_nothing() {
    let offset = |epoch, position| Since::Offset(Offset { epoch, position });
    for (since, recovered) in [
        (Since::Start, true),
        (offset(7, 1), true),
        (offset(8, 99), true),
        (offset(7, 2), false),
        (Since::Unknown, false),
    ] {
        let (mut journal, comeback) = parked(since, 1);
        let found = matches!(journal.claim(1, &comeback), Return::Found(..));
        assert_eq!(found, recovered, "{since:?}");
        assert_eq!(journal.find(1).is_some(), recovered);
    }
}

fn claim(journal: &mut Journal<usize>, comeback: &Comeback<'_>) -> Claim {
    match journal.claim(1, comeback) {
        Return::Found(_, claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_than_may_be_sent_at_once_is_not_recovered() {
    let (mut journal, comeback) = parked(Since::Start, 1);
    let claimed = claim(&mut journal, &comeback);
    assert_eq!(journal.redeem(&claimed, 0), Err(Some(1)));
    assert!(matches!(journal.claim(1, &comeback), Return::Unknown));
}

#[test]
fn who_claims_last_goes_on() {
    let (mut journal, comeback) = parked(Since::Start, 1);
    let (first, second) = (claim(&mut journal, &comeback), claim(&mut journal, &comeback));
    assert_eq!(journal.redeem(&first, NO_LIMIT), Err(None));
    journal.release(&first);
    assert!(journal.redeem(&second, NO_LIMIT).is_ok());
    assert_eq!(journal.resume(&second, 0, 2), Some(1));
}

#[test]
fn who_is_being_admitted_has_another_window_for_it_and_who_was_kept_out_has_none() {
    let (mut journal, comeback) = parked(Since::Start, 1);
    let claimed = claim(&mut journal, &comeback);
    assert_eq!(journal.expire(Timestamp::from_millis(2 * WINDOW - 1)), None);
    journal.release(&claimed);
    assert_eq!(journal.expire(Timestamp::from_millis(WINDOW - 1)), None);
    assert_eq!(journal.expire(Timestamp::from_millis(WINDOW)), Some(1));
}

#[test]
fn nobody_is_being_admitted_for_ever() {
    let (mut journal, comeback) = parked(Since::Start, 1);
    let claimed = claim(&mut journal, &comeback);
    assert_eq!(journal.expire(Timestamp::from_millis(2 * WINDOW)), Some(1));
    assert_eq!(journal.redeem(&claimed, NO_LIMIT), Err(None));
    assert!(matches!(journal.claim(1, &comeback), Return::Unknown), "a new client");
}

#[test]
fn asking_again_and_again_leaves_nothing() {
    let (mut journal, comeback) = parked(Since::Start, 1);
    for _ in 0..10_000 {
        let claimed = claim(&mut journal, &comeback);
        journal.release(&claimed);
    }
    assert_eq!(journal.expiries.len(), 1);
}

#[test]
fn only_so_many_wait_to_come_back() {
    let (mut journal, _) = parked(Since::Start, 2);
    for pid in 2..1_000 {
        journal.begin(pid, pid, 0, pid as usize);
        let gone = journal.park(Timestamp::default(), pid, &(pid as usize), 0);
        assert_eq!(gone, (pid > 2).then(|| pid as usize - 2), "who was away for longest");
    }
    assert_eq!((journal.sessions.len(), journal.expiries.len()), (2, 2));
}

#[test]
fn what_all_journals_hold_together_is_bounded() {
    let totals = Totals::default();
    let journals = || (0..10).map(|_| journal_among(&totals, 1_000, 5));
    let mut journals: Vec<_> = journals().collect();
    for (pid, journal) in journals.iter_mut().enumerate() {
        let (id, bytes) = (pid as u128, vec![0; 300].into_boxed_slice());
        journal.begin(id, id, 0, pid);
        journal.append(Timestamp::default(), || (Audience::One(id), bytes));
        let gone = journal.park(Timestamp::default(), id, &pid, 0);
        assert_eq!(gone.is_some(), pid >= 5);
        assert!(totals.bytes.load(Ordering::Relaxed) <= 1_000);
    }
    assert_eq!(totals.parked.load(Ordering::Relaxed), 5);
    drop(journals);
    let left = [&totals.bytes, &totals.parked].map(|total| total.load(Ordering::Relaxed));
    assert_eq!(left, [0, 0]);
}

#[test]
fn a_journal_that_holds_much_leaves_something_for_others() {
    let totals = Totals::default();
    let [mut much, mut little] = [(); 2].map(|()| journal_among(&totals, 10_000, 9));
    let append = |journal: &mut Journal<usize>, bytes: usize| {
        journal.append(Timestamp::default(), || (Audience::One(1), vec![0; bytes].into()));
    };
    for journal in [&mut much, &mut little] {
        journal.begin(1, 1, 0, 1);
    }
    append(&mut much, 5_000);
    append(&mut much, 4_000);
    append(&mut little, 1_000);
    assert_eq!((much.log.gone(), little.log.gone()), (0, 0));
    assert_eq!(much.expire(Timestamp::default()), None);
    assert_eq!((much.log.gone(), little.log.gone()), (1, 0), "it has given up its oldest");
}

#[test]
fn nothing_is_kept_for_nobody() {
    let mut journal = journal(NO_LIMIT, 1);
    journal.append(Timestamp::default(), || unreachable!("nobody wants it"));
    assert_eq!(journal.position(), 1);
}

#[test]
fn a_pong_is_for_the_oldest_ping() {
    let mut world = World::new(NO_LIMIT, NO_LIMIT);
    let everybody = Step::Many(0, 0, None, None, false);
    let arrives = [Step::Claim(0), Step::LetIn(0, 0), Step::Ping(0), Step::Arrive(0, 1)];
    let is_lost = [everybody, Step::Ping(0), Step::Pong(0, 1), Step::Cut(0)];
    arrives.into_iter().chain(is_lost).for_each(|step| world.step(step, false));
    world.end();
}
