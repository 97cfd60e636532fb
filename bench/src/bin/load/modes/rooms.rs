//! `rooms`: clients join rooms, then one member of each room in turn publishes into it, and its other members get it.
//!
//! What joining costs is reported too: `joins_per_s` and the server's CPU time (`server_cpu_s_per_m_joins`), and its memory by
//! room and by membership (`rss_per_room`, `rss_per_membership`), which is the same memory divided in two ways.

mod plan;

use super::publishing::{Pace, Publish, run};
use crate::clock::{Nanos, SECOND, in_seconds, now};
use crate::crowd::{ClientId, Crowd, Work};
use crate::ledger::Ledger;
use crate::machine::{Memory, Processes};
use crate::measure::{head, tail};
use crate::options::{Lasting, Length, Server, payload};
use crate::report::Report;
use crate::text::{Incoming, Outgoing};
use anyhow::{Result, bail, ensure};
use plan::{Memberships, Plan};
use std::io::Write;

/// Joins of one client that wait for their ack.
const AHEAD: u32 = 16;
/// All joins take so long at most.
const JOINING: Nanos = 120 * SECOND;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) server: Server,
    /// Clients.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..))]
    n: u32,
    /// Rooms.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    rooms: u32,
    /// Members of each room, the one that publishes included.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    members: u32,
    #[arg(long, value_enum, default_value = "websocket")]
    transport: Lasting,
    /// Bytes of the text, from 16 to 262,144.
    #[arg(long, default_value = "64", value_parser = payload)]
    payload: usize,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    length: Length,
}

struct Rooms {
    plan: Plan,
    /// What each client has still to join.
    to_join: Vec<Memberships>,
    joined: u64,
    text: Outgoing,
    expected: Incoming,
    packet: Vec<u8>,
    ledger: Ledger,
    /// The message that each member of each room got last.
    last: Vec<u32>,
    out_of_order: i64,
}

pub(crate) fn measure(options: &Options) -> Result<Report> {
    let Options { server, transport, payload, pace, length, rooms, members, n } = options;
    ensure!(members <= n, "a room cannot have more members than there are clients");
    let clients = *n as usize;
    server.prepare(clients, clients * transport.connections())?;
    let mut crowd = Crowd::new(server, std::iter::repeat_n(transport.transport(), clients))?;
    let mut work = Rooms::new(Plan { clients: *n, rooms: *rooms, members: *members }, *payload, *pace);
    crowd.connect_all(&mut work)?;
    crowd.serve(&mut work, now() + SECOND);
    let mut joining = Report::default();
    work.join_all(&mut crowd, server, &mut joining)?;
    let run = run(&mut crowd, &mut work, server, *pace, *length);
    let mode = if pace.saturate { "rooms-saturate" } else { "rooms" };
    let mut report = head(mode, server, transport.name(), clients);
    report.count("rooms", *rooms, "");
    report.count("members", *members, "per room");
    report.count("payload", *payload, "B");
    report.append(joining);
    run.rows(&mut report, &work.ledger, *pace, work.plan.recipients());
    report.none("out_of_order", work.out_of_order, "");
    tail(&mut report, &crowd);
    Ok(report)
}

impl Rooms {
    fn new(plan: Plan, payload: usize, pace: Pace) -> Self {
        Self {
            plan,
            to_join: (0..plan.clients).map(|client| plan.memberships(client)).collect(),
            joined: 0,
            text: Outgoing::new("", payload, "\"]"),
            expected: Incoming::new(r#"["room",""#, payload),
            packet: Vec::new(),
            ledger: pace.ledger(),
            last: vec![0; plan.places()],
            out_of_order: 0,
        }
    }

    /// Everybody joins their rooms.
    fn join_all(&mut self, crowd: &mut Crowd, server: &Server, report: &mut Report) -> Result<()> {
        let all = self.plan.places() as u64;
        let memory = server.pid.map(Memory::of);
        let (start, cpu) = (now(), server.pid.map(Processes::of));
        for who in crowd.everybody() {
            (0..AHEAD).for_each(|_| self.join(crowd, who));
            crowd.post(who);
            crowd.net.write();
        }
        while self.joined < all && now() < start + JOINING && crowd.tally.errors == 0 {
            crowd.turn(self, now() + SECOND);
        }
        if self.joined < all {
            let error = crowd.tally.first_error.as_deref().unwrap_or("nobody said why");
            bail!("{} of {all} memberships are there: {error}", self.joined);
        }
        report.count("memberships", all, "");
        report.figure("join_secs", in_seconds(now() - start), "s");
        report.figure("joins_per_s", all as f64 / in_seconds(now() - start), "1/s");
        if let Some((pid, cpu)) = server.pid.zip(cpu) {
            let used = Processes::of(pid).cpu() - cpu.cpu();
            report.figure("server_cpu_s_per_m_joins", used / all as f64 * 1e6, "s");
        }
        crowd.serve(self, now() + SECOND);
        if let Some((pid, before)) = server.pid.zip(memory) {
            let grown = (Memory::of(pid).rss - before.rss) as f64;
            report.figure("rss_per_room", grown / f64::from(self.plan.rooms), "B");
            report.figure("rss_per_membership", grown / all as f64, "B");
        }
        Ok(())
    }

    /// A client joins its next room, if there is one.
    fn join(&mut self, crowd: &mut Crowd, who: ClientId) {
        if let Some(room) = self.to_join[who.index()].next() {
            crowd.send(who, format!(r#"42{room}["join","r{room}"]"#).as_bytes());
        }
    }
}

impl Work for Rooms {
    fn ack(&mut self, crowd: &mut Crowd, who: ClientId, _room: u32, array: &[u8], _now: Nanos) {
        if array != b"[]" {
            return crowd.unexpected(who, "an ack", array);
        }
        self.joined += 1;
        self.join(crowd, who);
    }

    fn event(&mut self, crowd: &mut Crowd, who: ClientId, array: &[u8], now: Nanos) {
        let number = self.expected.number(array);
        let Some((number, place)) =
            number.and_then(|number| Some((number, self.plan.recipient(number, who.index())?)))
        else {
            return crowd.unexpected(who, "an event", array);
        };
        self.out_of_order += i64::from(number != self.plan.behind(self.last[place], number));
        self.last[place] = number;
        if self.ledger.deliver(number, now) {
            self.fill(crowd);
        }
    }
}

impl Publish for Rooms {
    fn publish(&mut self, crowd: &mut Crowd, due: Nanos) {
        let number = self.ledger.send(due, self.plan.recipients());
        let room = self.plan.room(number);
        let publisher = ClientId::of(self.plan.member(room, 0) as usize);
        self.packet.clear();
        write!(self.packet, r#"42["room","r{room}",""#).expect("memory takes everything");
        self.packet.extend_from_slice(self.text.numbered(number));
        crowd.send(publisher, &self.packet);
        crowd.post(publisher);
    }

    fn ledger(&mut self) -> &mut Ledger {
        &mut self.ledger
    }
}
