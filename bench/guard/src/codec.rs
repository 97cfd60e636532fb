//! What both protocols' codecs cost, without a server: bytes to packets and packets to bytes.
//!
//! Reading goes through the machine that puts attachments back where only that reads them. What is private to the server, such
//! as frames, is counted in the scenarios of [`crate::server`].

use crate::counted::repeated;
use encke_protocol::Timestamp;
use encke_protocol::engine::{self, Data, payload};
use encke_protocol::socket::server::{Event, Input, Namespaces};
use encke_protocol::socket::{AckId, Args, Dialect, Incoming, Limits, Packet, Parser, msgpack};
use std::borrow::Cow;
use std::hint::black_box;

const TIMES: u64 = 500;

/// What an application might say: text with an escape and beyond ASCII, numbers, a list.
const ARGS: &str = r#"{"id":4711,"room":"general","from":"Caroline","text":"Comets are \"bearded\" stars, größer als man denkt","at":1789.25,"seen":[1,2,3],"edited":false}"#;

/// Two attachments.
const BINARY_ARGS: &str =
    r#"{"name":"comet.png","data":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}"#;
const ATTACHMENT: &[u8] = &[0xC5; 256];

fn event(args: &str) -> Packet<'_> {
    Packet::Event { namespace: "/chat", id: AckId::new(12), name: "say".into(), args, attachments: 0 }
}

/// Heartbeats, events and one binary message.
fn payload_of_16() -> String {
    let mut event_text = String::new();
    event(ARGS).encode(&mut event_text);
    let mut body = String::new();
    for number in 0..payload::MAX_PACKETS {
        let packet = match number {
            0 => engine::Packet::Pong(""),
            1 => engine::Packet::Message(Data::Binary(ATTACHMENT.into())),
            _ => engine::Packet::Message(Data::Text(&event_text)),
        };
        payload::append(&mut body, &packet);
    }
    body
}

fn packets(body: &str) -> Vec<engine::Packet<'_>> {
    payload::decode(body, payload::MAX_PACKETS).map(|packet| packet.expect("is a packet")).collect()
}

pub fn payload_decode() -> u64 {
    let body = payload_of_16();
    repeated(TIMES, || {
        let read = payload::decode(black_box(&body), payload::MAX_PACKETS);
        assert_eq!(read.filter(|packet| black_box(packet).is_ok()).count(), payload::MAX_PACKETS);
    })
}

pub fn payload_encode() -> u64 {
    let body = payload_of_16();
    let packets = packets(&body);
    let mut out = String::with_capacity(body.len());
    repeated(TIMES, || {
        out.clear();
        black_box(&packets).iter().for_each(|packet| payload::append(&mut out, packet));
        assert_eq!(out.len(), body.len());
    })
}

pub fn packet_decode() -> u64 {
    let mut text = String::new();
    event(ARGS).encode(&mut text);
    let limits = Limits::default();
    repeated(TIMES, || {
        let packet = Packet::decode(black_box(&text), &limits).expect("is a packet");
        assert!(matches!(black_box(packet), Packet::Event { .. }));
    })
}

pub fn packet_encode() -> u64 {
    let packet = event(ARGS);
    let mut out = String::with_capacity(2 * ARGS.len());
    repeated(TIMES, || {
        out.clear();
        black_box(&packet).encode(&mut out);
        assert!(out.len() > ARGS.len());
    })
}

pub fn binary_decode() -> u64 {
    let mut head = String::new();
    let packet =
        Packet::Event { namespace: "/", id: None, name: "picture".into(), args: BINARY_ARGS, attachments: 2 };
    packet.encode(&mut head);
    let mut client = Joined::speaking(Parser::Json);
    repeated(TIMES, || {
        assert!(client.hear(Data::Text(&head)).is_none());
        assert!(client.hear(Data::Binary(ATTACHMENT.into())).is_none());
        let args = client.hear(Data::Binary(ATTACHMENT.into())).expect("is whole");
        assert_eq!(args.attachments.len(), 2);
    })
}

pub fn msgpack_decode() -> u64 {
    let message = event_as_msgpack();
    let mut client = Joined::speaking(Parser::MsgPack);
    repeated(TIMES, || {
        let args = client.hear(Data::Binary(Cow::Borrowed(black_box(&message)))).expect("is an event");
        assert_eq!(args.attachments.len(), 2);
    })
}

pub fn msgpack_encode() -> u64 {
    let (args, attachments) = binary_event();
    let packet = Packet::Event { namespace: "/", id: None, name: "say".into(), args: &args, attachments: 2 };
    let mut out = Vec::with_capacity(4 * args.len());
    repeated(TIMES, || {
        out.clear();
        msgpack::encode(black_box(&packet), &attachments, &mut out);
        assert!(out.len() > 2 * ATTACHMENT.len());
    })
}

fn binary_event() -> (String, [Vec<u8>; 2]) {
    (format!("{ARGS},{BINARY_ARGS}"), [ATTACHMENT.to_vec(), ATTACHMENT.to_vec()])
}

fn event_as_msgpack() -> Vec<u8> {
    let (args, attachments) = binary_event();
    let packet = Packet::Event { namespace: "/", id: None, name: "say".into(), args: &args, attachments: 2 };
    let mut message = Vec::new();
    msgpack::encode(&packet, &attachments, &mut message);
    message
}

/// The namespaces of a client that has joined the main one.
struct Joined {
    namespaces: Namespaces,
    limits: Limits,
}

impl Joined {
    fn speaking(parser: Parser) -> Self {
        let limits = Limits::default();
        let now = Timestamp::default();
        let dialect = Dialect { parser, ..Dialect::default() };
        let mut namespaces = Namespaces::new(now, &limits).speaking(dialect);
        let mut ask = Vec::new();
        msgpack::encode(&Packet::Connect { namespace: "/", data: None }, &[], &mut ask);
        let ask = match parser {
            Parser::Json => Data::Text("0"),
            Parser::MsgPack => Data::Binary(ask.into()),
        };
        assert!(namespaces.handle_input(now, Input::Message(ask), &limits).is_some());
        let accept = Input::Accept { namespace: "/", sid: "a", pid: None };
        assert!(namespaces.handle_input(now, accept, &limits).is_none());
        assert!(namespaces.poll_output().is_some());
        Self { namespaces, limits }
    }

    /// The arguments of an event that is whole now.
    fn hear<'a>(&mut self, data: Data<'a>) -> Option<Args<'a>> {
        match self.namespaces.handle_input(Timestamp::default(), Input::Message(data), &self.limits)? {
            Event::Incoming(Incoming::Event { args, .. }) => Some(args),
            other => panic!("{other:?} in place of an event"),
        }
    }
}
