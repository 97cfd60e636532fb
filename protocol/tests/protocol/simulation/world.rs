//! One run: a client, a server and the network between them, from the first request to the end of the session.
//!
//! A run is determined by its seed: the weather, when which side says how much, and how it ends. In the first part both
//! sides talk and the network does its worst; then all is quiet for longer than any heartbeat takes, and what lives must
//! have lost nothing; then the session is ended, and nothing of it may stay behind.

use super::client::{BareClient, Client};
use super::core_client::CoreClient;
use super::network::{Due, Network, Side};
use super::prng::Prng;
use super::server::Server;
use super::traffic::{Acks, Traffic};
use super::weather::Weather;
use encke_protocol::engine::{CloseReason, Transport, Upgrades, client, server};

/// Milliseconds. Longer than the slowest polling needs to drain its queues.
const PING_INTERVAL: u32 = 6_000;
const PING_TIMEOUT: u32 = 6_000;
/// Until then both sides talk, in milliseconds.
const TALK: u64 = 8_000;
/// From then on nothing new goes wrong, a moment after the last word.
const CALM: u64 = 28_000;
/// By then whatever was broken is known to be; some time between two heartbeats.
const QUIET: u64 = CALM + END + 2_500;
/// In which a session has to end that one side has ended, or that the network has killed: a ping and its timeout, and
/// some for the way.
const END: u64 = (PING_INTERVAL + PING_TIMEOUT) as u64 + 3_000;
/// A run that takes more steps than this spins.
const MAX_STEPS: usize = 100_000;

/// What the seed has decided.
#[derive(Clone, Copy, Debug)]
struct Plan {
    weather: Weather,
    transport: Transport,
    upgrades: Upgrades,
    /// Longest time for which the server stops reading, 0 when it never does.
    pause: u64,
    end: End,
}

/// How a session ends that has lived until then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    By(Side),
    /// The client is there no more and nobody says so.
    ClientVanishes,
    /// The same, and then the server wants to end the session.
    ByServerWithClientVanished,
}

impl Plan {
    fn new(prng: &mut Prng) -> Self {
        let max_delay = [2, 30, 150][prng.below(3) as usize];
        let mut weather = Weather { max_delay, bad_http: false, bad_websocket: false, calm_from: CALM };
        let (mut transport, mut upgrades, mut pause) = (Transport::Polling, Upgrades::WebSocket, 0);
        match prng.below(10) {
            0..=3 => {}
            4 => upgrades = Upgrades::None,
            5 => transport = Transport::WebSocket,
            6 => pause = 8_000,
            7..=8 => weather.bad_websocket = true,
            _ => (weather.bad_http, weather.bad_websocket) = (true, prng.once_in(2)),
        }
        let end = match prng.below(6) {
            0..=1 => End::By(Side::Client),
            2..=3 => End::By(Side::Server),
            4 => End::ClientVanishes,
            _ => End::ByServerWithClientVanished,
        };
        Self { weather, transport, upgrades, pause, end }
    }

    fn must_live(&self) -> bool {
        !self.weather.bad_http && !self.weather.bad_websocket
    }

    fn must_upgrade(&self) -> bool {
        self.must_live() && self.transport == Transport::Polling && self.upgrades == Upgrades::WebSocket
    }

    /// Milliseconds that a thing which takes `ways` ways through the network may take.
    fn allowance(&self, ways: u64) -> u64 {
        500 + ways * self.weather.max_delay + self.pause
    }
}

struct World {
    plan: Plan,
    network: Network,
    traffic: Traffic,
    client: Box<dyn Client>,
    client_vanished: bool,
    server: Server,
}

/// Whose client it is.
#[derive(Clone, Copy, Debug)]
pub enum ClientKind {
    /// The engine's and the namespaces' machines with a driver around them.
    Bare,
    /// The client core.
    Core,
}

/// Runs the simulation of that seed.
///
/// # Panics
/// When something is lost, doubled, out of order or late, or does not end.
pub fn run(kind: ClientKind, seed: u64) {
    let mut prng = Prng::new(seed);
    let plan = Plan::new(&mut prng);
    let _seed = TellSeed { seed, plan };
    let network = Network::new(prng, plan.weather);
    let server = server::Config {
        ping_interval: PING_INTERVAL,
        ping_timeout: PING_TIMEOUT,
        upgrades: plan.upgrades,
        ..server::Config::default()
    };
    let client: Box<dyn Client> = match kind {
        ClientKind::Bare => {
            Box::new(BareClient::new(network.now(), client::Config::default(), plan.transport))
        }
        ClientKind::Core => Box::new(CoreClient::new(plan.transport, seed)),
    };
    let (server, traffic) = (Server::new(server), Traffic::default());
    let mut world = World { plan, network, traffic, client, client_vanished: false, server };
    world.schedule_talk();
    world.client.start(&mut world.network, &mut world.traffic);
    world.go_on_until(QUIET - 1_000);
    let posts = world.network.posts();
    world.go_on_until(QUIET);
    world.check_life();
    world.end(posts);
}

/// Says on a panic which run it was.
struct TellSeed {
    seed: u64,
    plan: Plan,
}

impl Drop for TellSeed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation failed; ENCKE_SEED={} runs it again: {:?}", self.seed, self.plan);
        }
    }
}

impl World {
    fn schedule_talk(&mut self) {
        for side in [Side::Client, Side::Server] {
            for _ in 0..self.network.prng.below(8) {
                let (at, count) = (self.network.prng.below(TALK), 1 + self.network.prng.below(30));
                // Often right at the beginning, where the upgrade is.
                let at =
                    if self.network.prng.once_in(2) { at % (8 * self.plan.weather.max_delay) } else { at };
                self.network.schedule(at, Due::Emit { side, count });
            }
            self.network.schedule(CALM - 1_000, Due::Emit { side, count: 1 });
        }
        if self.plan.pause > 0 {
            let at = self.network.prng.below(TALK);
            let length = self.network.prng.below(self.plan.pause);
            self.network.schedule(at, Due::PauseReading);
            self.network.schedule(at + length, Due::ResumeReading);
        }
    }

    fn go_on_until(&mut self, end: u64) {
        for _ in 0..MAX_STEPS {
            let client_deadline = self.client.next_deadline().filter(|_| !self.client_vanished);
            let deadlines = [client_deadline, self.server.next_deadline()];
            let deadlines = deadlines.map(|deadline| deadline.map(|deadline| deadline.as_millis()));
            let next = [self.network.next_due(), deadlines[0], deadlines[1]].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                return self.network.advance(end);
            };
            self.network.advance(next.max(self.network.now_millis()));
            if deadlines[0].is_some_and(|deadline| deadline <= next) {
                self.client.timeout(&mut self.network, &mut self.traffic);
            }
            if deadlines[1].is_some_and(|deadline| deadline <= next) {
                self.server.timeout(&mut self.network, &mut self.traffic);
            }
            if let Some(due) = self.network.take_due() {
                self.happen(due);
            }
        }
        panic!("the run spins");
    }

    fn happen(&mut self, due: Due) {
        let (network, traffic) = (&mut self.network, &mut self.traffic);
        match due {
            Due::AtServer(arrival) => self.server.arrive(network, traffic, arrival),
            Due::AtClient(_) if self.client_vanished => {}
            Due::AtClient(arrival) => self.client.arrive(network, traffic, arrival),
            Due::BodyRead { request, body } => self.server.body_read(network, traffic, request, body),
            Due::Accept => self.server.accept(network, traffic),
            Due::Emit { side, count } => self.emit(side, count, Acks::Wanted),
            Due::Break { socket } => network.break_websocket(socket),
            Due::PauseReading => self.server.pause_reading(network, traffic),
            Due::ResumeReading => self.server.resume_reading(network, traffic),
        }
    }

    fn emit(&mut self, side: Side, count: u64, acks: Acks) {
        let told = self.client.told();
        let (is_joined, queued) = match side {
            Side::Client => (told.joined && told.closed.is_none(), self.client.queued(&self.traffic)),
            Side::Server => (self.server.is_joined(), self.server.outbox.len()),
        };
        if !is_joined {
            let has_ended = told.closed.is_some() || self.server.closed.is_some();
            if !has_ended && self.network.now_millis() < TALK {
                let delay = 1 + self.network.delay();
                self.network.schedule(delay, Due::Emit { side, count });
            }
            return;
        }
        for sent in 0..count {
            let due_by = self.due_by(queued as u64 + sent);
            match side {
                Side::Client => self.client.emit(self.network.now(), &mut self.traffic, due_by, acks),
                Side::Server => {
                    self.server.application.emit(&mut self.traffic, due_by, acks, &mut self.server.outbox);
                }
            }
        }
        match side {
            Side::Client => self.client.flush(&mut self.network, &mut self.traffic),
            Side::Server => self.server.flush(&mut self.network, &mut self.traffic),
        }
    }

    /// By when a message has to arrive that is queued behind so many others.
    fn due_by(&self, queued: u64) -> u64 {
        if self.plan.weather.bad_http {
            return u64::MAX;
        }
        // Eight packets a payload, since attachments count and payloads are small; three ways each.
        let ways = 12 + (queued / 8 + 1) * 3;
        self.network.now_millis() + self.plan.allowance(ways)
    }

    /// At the quiet point: the session lives on both sides and has lost nothing, or is over on both sides.
    fn check_life(&mut self) {
        let told = self.client.told();
        if told.closed.is_some() || self.server.closed.is_some() {
            // A WebSocket that breaks ends the session that it carries, and no other.
            let must_live = if self.plan.weather.bad_websocket {
                !self.plan.weather.bad_http && told.upgraded_at.is_none()
            } else {
                self.plan.must_live()
            };
            assert!(!must_live, "nothing ends without a cause: {told:?} {:?}", self.server.closed);
            return self.check_over();
        }
        assert!(told.joined, "a session that lives has joined");
        let Traffic { to_server, to_client } = &self.traffic;
        assert!(to_server.is_complete() && to_client.is_complete(), "nothing is lost: {:?}", self.traffic);
        assert!(!self.client.awaits_acks() && !self.server.application.awaits_acks(), "acks are not lost");
        assert_eq!(told.upgraded_at.is_some(), self.server.upgraded, "both agree on the transport");
        if self.plan.must_upgrade() {
            let took = told.upgraded_at.expect("the upgrade completes") - told.opened_at.unwrap_or_default();
            // The longest way: a POST that has just left when the probe is answered.
            assert!(took <= self.plan.allowance(16), "the upgrade took {took} ms");
        }
        let messages = to_server.sent() + to_client.sent();
        // Polls are released ten times a second while a WebSocket hangs; heartbeats are few.
        assert!(self.network.requests() <= 2 * messages + 150, "{} requests", self.network.requests());
    }

    fn end(&mut self, posts: usize) {
        if self.client.told().closed.is_some() {
            return;
        }
        match self.plan.end {
            End::By(side) => self.end_by(side),
            End::ClientVanishes => self.client_vanished = true,
            End::ByServerWithClientVanished => {
                self.client_vanished = true;
                self.end_by(Side::Server);
            }
        }
        self.go_on_until(QUIET + END);
        self.check_over();
        // A pong that crosses the goodbye finds no session, and then the client gives up at once.
        let is_undisturbed = self.network.posts() == posts;
        if self.plan.end == End::By(Side::Server) && self.plan.must_live() && is_undisturbed {
            assert_eq!(self.client.told().closed, Some(CloseReason::TransportClose));
            assert!(self.traffic.to_client.is_complete(), "what is queued goes out before the goodbye");
        }
    }

    /// What a side sends just before it ends the session is more than one payload at times.
    fn end_by(&mut self, side: Side) {
        let count = self.network.prng.below(60);
        self.emit(side, count, Acks::Unwanted);
        match side {
            Side::Client => self.client.close(&mut self.network, &mut self.traffic),
            Side::Server => self.server.close(&mut self.network, &mut self.traffic),
        }
    }

    fn check_over(&mut self) {
        assert!(self.server.is_free(), "the server's session ends and is freed");
        if !self.client_vanished {
            assert!(self.client.told().closed.is_some(), "the client's session ends");
            assert_eq!(self.client.next_deadline(), None, "nothing is left to wait for");
        }
    }
}
