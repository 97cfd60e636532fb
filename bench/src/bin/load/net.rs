//! Connections: opened, written, read and closed, and which of them are ready, by one epoll.
//!
//! Owns the sockets, what is not written yet and what has come but is not complete, and counts what travels. Must not know
//! what the bytes mean. A connection owns memory only while something is incomplete or waits to be written.

mod connection;
mod traffic;

use crate::clock::{Nanos, SECOND, now};
use crate::crowd::ClientId;
use anyhow::{Context, Result};
pub(crate) use connection::{Connection, ConnectionId, Role, State};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use rustix::net::{bind, connect, recv, send, socket_with};
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};
pub(crate) use traffic::Traffic;

/// So many are told to be ready at once.
const EVENTS: usize = 128;

/// What a read has brought.
pub(crate) enum Received {
    Bytes(usize),
    Nothing,
    End,
    Failed(Errno),
}

/// All connections to one server.
pub(crate) struct Net {
    epoll: OwnedFd,
    server: SocketAddrV4,
    /// Source addresses to use in turn, since each has no more ports than some 28,000.
    sources: u32,
    opened: u32,
    connections: Vec<Connection>,
    free: Vec<ConnectionId>,
    /// Those that have something to write.
    unwritten: Vec<ConnectionId>,
    events: Vec<epoll::Event>,
    pub(crate) traffic: Traffic,
}

impl Net {
    /// Connections to that server, from so many addresses of this machine if it is on it.
    pub(crate) fn new(server: SocketAddrV4, sources: u32) -> Result<Self> {
        Ok(Self {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).context("there is no epoll")?,
            server,
            sources: sources.max(1),
            opened: 0,
            connections: Vec::new(),
            free: Vec::new(),
            unwritten: Vec::new(),
            events: Vec::with_capacity(EVENTS),
            traffic: Traffic::default(),
        })
    }

    /// Begins to connect. What is written meanwhile goes out when that is done.
    pub(crate) fn open(&mut self, client: ClientId, role: Role) -> rustix::io::Result<ConnectionId> {
        let socket = self.connect()?;
        let id = self.free.pop().unwrap_or_else(|| {
            self.connections.push(Connection::empty(client, role));
            ConnectionId::of(self.connections.len() - 1)
        });
        let place = &mut self.connections[id.index()];
        let generation = place.generation.wrapping_add(1);
        epoll::add(&self.epoll, &socket, data(id, generation), epoll::EventFlags::IN)?;
        let (listed, out) = (place.listed, mem::take(&mut place.out));
        *place =
            Connection { socket: Some(socket), generation, listed, out, ..Connection::empty(client, role) };
        Ok(id)
    }

    fn connect(&mut self) -> rustix::io::Result<OwnedFd> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if self.server.ip().is_loopback() {
            let number = self.opened % self.sources;
            self.opened = self.opened.wrapping_add(1);
            // 127.0.0.2 and on; the last byte is never one that means a network or everybody.
            let source = Ipv4Addr::new(127, 0, (number / 250) as u8, (2 + number % 250) as u8);
            bind(&socket, &SocketAddrV4::new(source, 0))?;
        }
        match connect(&socket, &self.server) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
            Err(error) => Err(error),
        }
    }

    /// Closes it and drops what is not written.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let connection = &mut self[id];
        if connection.socket.take().is_some() {
            connection.incomplete = Vec::new();
            connection.out.clear();
            connection.written = 0;
            self.free.push(id);
        }
    }

    /// Which connection that was, for [`Self::is_open`].
    pub(crate) fn generation(&self, id: ConnectionId) -> u32 {
        self[id].generation
    }

    /// Whether it is still that connection.
    pub(crate) fn is_open(&self, id: ConnectionId, generation: u32) -> bool {
        let connection = &self[id];
        connection.socket.is_some() && connection.generation == generation
    }

    /// Where to append what is to be sent on that connection. It goes out by [`Self::write`].
    pub(crate) fn out(&mut self, id: ConnectionId) -> &mut Vec<u8> {
        let connection = &mut self.connections[id.index()];
        if !connection.listed {
            connection.listed = true;
            self.unwritten.push(id);
        }
        &mut connection.out
    }

    /// The same for a request: the connection is busy until it is answered.
    pub(crate) fn request(&mut self, id: ConnectionId) -> &mut Vec<u8> {
        self.traffic.requests += 1;
        self[id].state = State::Busy;
        self.out(id)
    }

    /// Writes what was appended.
    pub(crate) fn write(&mut self) {
        while let Some(id) = self.unwritten.pop() {
            self[id].listed = false;
            self.flush(id);
        }
    }

    /// Writes what waits on that connection, as far as there is room.
    pub(crate) fn flush(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id.index()];
        let Some(socket) = &connection.socket else { return };
        while connection.written < connection.out.len() {
            match send(socket, &connection.out[connection.written..], SendFlags::NOSIGNAL) {
                Ok(count) => {
                    connection.written += count;
                    self.traffic.writes += 1;
                    self.traffic.written_bytes += count as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOTCONN | Errno::INPROGRESS) => {
                    return self.wait_for_room(id, true);
                }
                // Reading will tell.
                Err(_) => break,
            }
        }
        connection.out.clear();
        connection.written = 0;
        self.wait_for_room(id, false);
    }

    fn wait_for_room(&mut self, id: ConnectionId, wait: bool) {
        let connection = &mut self.connections[id.index()];
        if connection.waits_for_room == wait {
            return;
        }
        connection.waits_for_room = wait;
        let Some(socket) = &connection.socket else { return };
        let writable = if wait { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
        let data = data(id, connection.generation);
        epoll::modify(&self.epoll, socket, data, epoll::EventFlags::IN | writable)
            .expect("it has been added");
    }

    /// Reads what has come.
    pub(crate) fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Received {
        let Some(socket) = &self.connections[id.index()].socket else { return Received::Nothing };
        match recv(socket, buffer, RecvFlags::empty()) {
            Ok((0, _)) => Received::End,
            Ok((count, _)) => {
                self.traffic.reads += 1;
                self.traffic.read_bytes += count as u64;
                Received::Bytes(count)
            }
            Err(Errno::AGAIN | Errno::INTR) => Received::Nothing,
            Err(error) => Received::Failed(error),
        }
    }

    /// Waits until some connection is ready, until that time at most. Gives the list back by [`Self::done`].
    pub(crate) fn wait(&mut self, until: Nanos) -> Vec<epoll::Event> {
        let length = until.saturating_sub(now()).min(SECOND);
        let timeout =
            Timespec { tv_sec: (length / SECOND).cast_signed(), tv_nsec: (length % SECOND).cast_signed() };
        let mut events = mem::take(&mut self.events);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => events,
            Err(error) => panic!("epoll fails: {error}"),
        }
    }

    /// The connection that is ready, and whether to write and to read; none if it was closed meanwhile.
    pub(crate) fn ready(&self, event: &epoll::Event) -> Option<(ConnectionId, bool, bool)> {
        let (data, flags) = (event.data.u64(), event.flags);
        let id = ConnectionId(NonZeroU32::new(data as u32)?);
        let readable = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        self.is_open(id, (data >> 32) as u32)
            .then(|| (id, flags.contains(epoll::EventFlags::OUT), flags.intersects(readable)))
    }

    /// The list of [`Self::wait`] has been worked off.
    pub(crate) fn done(&mut self, mut events: Vec<epoll::Event>) {
        events.clear();
        self.events = events;
    }
}

fn data(id: ConnectionId, generation: u32) -> epoll::EventData {
    epoll::EventData::new_u64(u64::from(generation) << 32 | u64::from(id.0.get()))
}

impl Index<ConnectionId> for Net {
    type Output = Connection;

    fn index(&self, id: ConnectionId) -> &Connection {
        &self.connections[id.index()]
    }
}

impl IndexMut<ConnectionId> for Net {
    fn index_mut(&mut self, id: ConnectionId) -> &mut Connection {
        &mut self.connections[id.index()]
    }
}
