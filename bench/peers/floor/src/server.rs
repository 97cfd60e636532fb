//! All connections, and who hears what.

use std::collections::HashMap;
use std::mem;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, sockopt};
use rustix::net::{accept_with, bind, listen, recv, socket_with};

use crate::connection::Connection;
use crate::frame::{self, BINARY, CLOSE, TEXT};
use crate::handshake;
use crate::packet::Packet;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 4096;
/// So many are told to be ready at once.
const EVENTS: usize = 256;
/// Bytes that are read at once.
const READ: usize = 64 * 1024;
const PING_INTERVAL: Duration = Duration::from_secs(25);

/// The listener among the connections, which are numbered by their sockets.
const LISTENER: u64 = u64::MAX;

pub struct Server {
    epoll: OwnedFd,
    listener: OwnedFd,
    events: Vec<epoll::Event>,
    connections: Vec<Option<Connection>>,
    /// Who is in the namespace.
    everybody: Vec<usize>,
    rooms: HashMap<Box<[u8]>, Vec<usize>>,
    buffer: Vec<u8>,
    /// What the one who is read from is sent.
    answers: Vec<u8>,
    /// What others are sent by one read.
    batch: Batch,
    sessions: u64,
    next_ping: Instant,
}

/// Frames for the same people: written to each at once.
#[derive(Default)]
struct Batch {
    /// The room; none is everybody.
    room: Option<Box<[u8]>>,
    frames: Vec<u8>,
}

/// The client has ended it, or does what it must not.
struct Gone;

impl Server {
    pub fn listen(port: u16) -> rustix::io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&listener, true)?;
        bind(&listener, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        listen(&listener, BACKLOG)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &listener, epoll::EventData::new_u64(LISTENER), epoll::EventFlags::IN)?;
        Ok(Self {
            epoll,
            listener,
            events: Vec::with_capacity(EVENTS),
            connections: Vec::new(),
            everybody: Vec::new(),
            rooms: HashMap::new(),
            buffer: vec![0; READ],
            answers: Vec::new(),
            batch: Batch::default(),
            sessions: 0,
            next_ping: Instant::now() + PING_INTERVAL,
        })
    }

    /// Waits until something is ready, and does what is to be done.
    pub fn turn(&mut self) -> rustix::io::Result<()> {
        let left = self.next_ping.saturating_duration_since(Instant::now());
        let timeout = Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
        let mut events = mem::take(&mut self.events);
        events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        for event in &events {
            match event.data.u64() {
                LISTENER => self.accept(),
                number => self.ready(number as usize, event.flags),
            }
        }
        self.events = events;
        if Instant::now() >= self.next_ping {
            self.next_ping += PING_INTERVAL;
            frame::encode(&mut self.batch.frames, TEXT, b"2");
            self.deliver(usize::MAX);
        }
        Ok(())
    }

    fn accept(&mut self) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        while let Ok(socket) = accept_with(&self.listener, flags) {
            let number = socket.as_raw_fd() as usize;
            let added = sockopt::set_tcp_nodelay(&socket, true)
                .and_then(|()| epoll::add(&self.epoll, &socket, data(number), epoll::EventFlags::IN));
            if added.is_ok() {
                if self.connections.len() <= number {
                    self.connections.resize_with(number + 1, || None);
                }
                self.connections[number] = Some(Connection::new(socket));
            }
        }
    }

    fn ready(&mut self, number: usize, flags: epoll::EventFlags) {
        // It may have been closed since it was told to be ready.
        let Some(connection) = &mut self.connections[number] else { return };
        if flags.contains(epoll::EventFlags::OUT) {
            connection.flush(&self.epoll, data(number));
        }
        let mut buffer = mem::take(&mut self.buffer);
        if self.read(number, &mut buffer).is_err() {
            self.close(number);
        }
        self.buffer = buffer;
    }

    fn read(&mut self, number: usize, buffer: &mut [u8]) -> Result<(), Gone> {
        let Some(connection) = &mut self.connections[number] else { return Ok(()) };
        let count = match recv(&connection.socket, &mut *buffer, RecvFlags::empty()) {
            Ok((0, _)) => return Err(Gone),
            Ok((count, _)) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => return Err(Gone),
        };
        if connection.incomplete.is_empty() {
            let bytes = &mut buffer[..count];
            let used = self.work(number, bytes)?;
            if let Some(connection) = &mut self.connections[number] {
                connection.incomplete.extend_from_slice(&bytes[used..]);
            }
        } else {
            let mut bytes = mem::take(&mut connection.incomplete);
            bytes.extend_from_slice(&buffer[..count]);
            let used = self.work(number, &mut bytes)?;
            if let Some(connection) = &mut self.connections[number] {
                bytes.drain(..used);
                connection.incomplete = if bytes.is_empty() { Vec::new() } else { bytes };
            }
        }
        Ok(())
    }

    /// Does all that has come whole; how many bytes that was.
    fn work(&mut self, number: usize, bytes: &mut [u8]) -> Result<usize, Gone> {
        let mut at = self.upgrade(number, bytes)?;
        let upgraded = self.connections[number].as_ref().is_some_and(|connection| connection.upgraded);
        let mut result = Ok(());
        while upgraded && result.is_ok() {
            match frame::decode(bytes, at) {
                Ok(Some(frame)) => {
                    at = frame.payload.end;
                    result = self.frame(number, frame.opcode, &bytes[frame.payload]);
                }
                Ok(None) => break,
                Err(()) => result = Err(Gone),
            }
        }
        self.deliver(number);
        let answers = mem::take(&mut self.answers);
        self.send(number, &answers);
        self.answers = answers;
        self.answers.clear();
        result.map(|()| at)
    }

    /// Answers the request, if it has come whole and has not been answered yet; how many bytes that was.
    fn upgrade(&mut self, number: usize, bytes: &[u8]) -> Result<usize, Gone> {
        let Some(connection) = &mut self.connections[number] else { return Ok(0) };
        if connection.upgraded {
            return Ok(0);
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(0) };
        let Some(answer) = handshake::answer(&bytes[..end]) else {
            connection.send(&self.epoll, data(number), handshake::NOT_FOUND);
            return Err(Gone);
        };
        connection.upgraded = true;
        self.sessions += 1;
        self.answers.extend_from_slice(answer.as_bytes());
        frame::encode(&mut self.answers, TEXT, handshake::open(self.sessions).as_bytes());
        Ok(end + 4)
    }

    fn frame(&mut self, number: usize, opcode: u8, payload: &[u8]) -> Result<(), Gone> {
        match opcode {
            TEXT => self.packet(number, payload),
            BINARY => {
                let Some(connection) = &mut self.connections[number] else { return Err(Gone) };
                let event = mem::take(&mut connection.attached);
                self.to(number, None);
                self.batch.frames.extend_from_slice(&event);
                frame::encode(&mut self.batch.frames, BINARY, payload);
            }
            CLOSE => {
                frame::encode(&mut self.answers, CLOSE, payload);
                return Err(Gone);
            }
            _ => {}
        }
        Ok(())
    }

    fn packet(&mut self, number: usize, text: &[u8]) {
        match Packet::of(text) {
            Packet::Connect => self.enter(number),
            Packet::Disconnect => self.leave(number),
            Packet::Chat => {
                self.to(number, None);
                frame::encode(&mut self.batch.frames, TEXT, text);
            }
            Packet::Attached => {
                if let Some(connection) = &mut self.connections[number] {
                    frame::encode(&mut connection.attached, TEXT, text);
                }
            }
            Packet::Echo { id, arguments } => {
                frame::encode(&mut self.answers, TEXT, &[b"43", id, b"[", arguments].concat());
            }
            Packet::Join { id, room } => {
                self.join(number, room);
                frame::encode(&mut self.answers, TEXT, &[b"43", id, b"[]"].concat());
            }
            Packet::Room { room, rest } => {
                self.to(number, Some(room));
                frame::encode(&mut self.batch.frames, TEXT, &[b"42[\"room\",", rest].concat());
            }
            Packet::Other => {}
        }
    }

    fn enter(&mut self, number: usize) {
        let Some(connection) = &mut self.connections[number] else { return };
        if connection.place.is_none() {
            connection.place = Some(self.everybody.len());
            self.everybody.push(number);
        }
        self.sessions += 1;
        let sid = format!("40{{\"sid\":\"{:020}\"}}", self.sessions);
        frame::encode(&mut self.answers, TEXT, sid.as_bytes());
    }

    fn join(&mut self, number: usize, room: &[u8]) {
        let members = self.rooms.entry(room.into()).or_default();
        if let Some(connection) = &mut self.connections[number]
            && !connection.rooms.iter().any(|joined| **joined == *room)
        {
            members.push(number);
            connection.rooms.push(room.into());
        }
    }

    fn leave(&mut self, number: usize) {
        let Some(connection) = &mut self.connections[number] else { return };
        let rooms = mem::take(&mut connection.rooms);
        if let Some(place) = connection.place.take() {
            self.everybody.swap_remove(place);
            if let Some(&moved) = self.everybody.get(place)
                && let Some(moved) = &mut self.connections[moved]
            {
                moved.place = Some(place);
            }
        }
        for room in rooms {
            if let Some(members) = self.rooms.get_mut(&room) {
                members.retain(|member| *member != number);
                if members.is_empty() {
                    self.rooms.remove(&room);
                }
            }
        }
    }

    /// What is put into the batch from now on is for these; what was in it for others is delivered.
    fn to(&mut self, sender: usize, room: Option<&[u8]>) {
        if self.batch.room.as_deref() != room {
            self.deliver(sender);
            self.batch.room = room.map(Into::into);
        }
    }

    /// Writes the batch to all whom it is for but its sender.
    fn deliver(&mut self, sender: usize) {
        if self.batch.frames.is_empty() {
            return;
        }
        let people = match &self.batch.room {
            None => Some(&self.everybody),
            Some(room) => self.rooms.get(room),
        };
        for &number in people.into_iter().flatten().filter(|number| **number != sender) {
            if let Some(connection) = &mut self.connections[number] {
                connection.send(&self.epoll, data(number), &self.batch.frames);
            }
        }
        self.batch.frames.clear();
        self.batch.room = None;
    }

    fn send(&mut self, number: usize, bytes: &[u8]) {
        if let Some(connection) = &mut self.connections[number] {
            connection.send(&self.epoll, data(number), bytes);
        }
    }

    fn close(&mut self, number: usize) {
        self.leave(number);
        self.connections[number] = None;
    }
}

fn data(number: usize) -> epoll::EventData {
    epoll::EventData::new_u64(number as u64)
}
