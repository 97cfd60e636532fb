//! The wire examples of `tests/wire/`, whose README says how to read them.

use encke_protocol::Timestamp;
use encke_protocol::engine::{Data, Handshake, Packet, Query, payload, v3};
use encke_protocol::socket::{self, Dialect, Limits, Parser, server};
use std::borrow::Cow;
use std::fmt::Debug;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const ENGINE_PACKETS: &str = include_str!("../wire/engine-packets.txt");
const PAYLOADS: &str = include_str!("../wire/payloads.txt");
const PAYLOADS_V3: &str = include_str!("../wire/payloads-v3.txt");
const HANDSHAKES: &str = include_str!("../wire/handshakes.txt");
const QUERIES: &str = include_str!("../wire/queries.txt");
const SOCKET_PACKETS: &str = include_str!("../wire/socket-packets.txt");
const COMEBACKS: &str = include_str!("../wire/comebacks.txt");
const ATTACHMENTS: &str = include_str!("../wire/attachments.txt");
const MSGPACK_PACKETS: &str = include_str!("../wire/msgpack-packets.txt");

#[test]
fn engine_packets() {
    for example in examples(ENGINE_PACKETS) {
        let message = example.message();
        let packet = Packet::decode(message.data());
        example.check(&packet);
        if let (Ok(packet), Some(wire)) = (&packet, message.is_our_own()) {
            let mut text = String::new();
            packet.encode_text(&mut text);
            assert_eq!(text, wire, "{}", example.name);
        }
    }
}

#[test]
fn payloads() {
    for example in examples(PAYLOADS) {
        let message = example.message();
        let packets: Vec<_> = payload::decode(message.text(), payload::MAX_PACKETS).collect();
        example.check(&Ok::<_, ()>(&packets));
        if let Some(wire) = message.is_our_own() {
            let mut body = String::new();
            packets.iter().flatten().for_each(|packet| payload::append(&mut body, packet));
            assert_eq!(body, wire, "{}", example.name);
        }
    }
}

#[test]
fn payloads_of_v3() {
    for example in examples(PAYLOADS_V3) {
        let message = example.message();
        let body = message.data();
        let packets: Vec<_> = v3::decode_payload(&body, payload::MAX_PACKETS).collect();
        example.check(&Ok::<_, ()>(&packets));
        if let Some(wire) = message.is_our_own() {
            let mut body = String::new();
            for packet in packets.iter().flatten() {
                match packet {
                    Packet::Message(Data::Binary(bytes)) => v3::append_binary(&mut body, bytes),
                    packet => {
                        let mut text = String::new();
                        packet.encode_text(&mut text);
                        v3::append(&mut body, &text);
                    }
                }
            }
            assert_eq!(body, wire, "{}", example.name);
        }
    }
}

#[test]
fn handshakes() {
    for example in examples(HANDSHAKES) {
        let message = example.message();
        let handshake = Handshake::decode(message.text());
        example.check(&handshake);
        if let (Ok(handshake), Some(wire)) = (&handshake, message.is_our_own()) {
            assert_eq!(handshake.encode(), wire, "{}", example.name);
        }
    }
}

#[test]
fn queries() {
    for example in examples(QUERIES) {
        let message = example.message();
        let query = Query::decode(message.text());
        example.check(&query);
        if let (Ok(query), Some(wire)) = (&query, message.is_our_own()) {
            let mut text = String::new();
            query.encode(&mut text);
            assert_eq!(text, wire, "{}", example.name);
        }
    }
}

#[test]
fn socket_packets() {
    for example in examples(SOCKET_PACKETS) {
        let message = example.message();
        let packet = socket::Packet::decode(message.text(), &Limits::default());
        example.check(&packet);
        if let (Ok(packet), Some(wire)) = (&packet, message.is_our_own()) {
            let mut text = String::new();
            packet.encode(&mut text);
            assert_eq!(text, wire, "{}", example.name);
        }
    }
}

#[test]
fn comebacks() {
    for example in examples(COMEBACKS) {
        let message = example.message();
        let comeback = socket::Comeback::decode(message.text());
        example.check(&comeback.ok_or("nothing to recover"));
    }
}

#[test]
fn attachments() {
    let (now, limits) = (Timestamp::default(), Limits::default());
    for example in examples(ATTACHMENTS) {
        let mut namespaces = server::Namespaces::new(now, &limits);
        namespaces.handle_input(now, server::Input::Message(Data::Text("0")), &limits);
        let accept = server::Input::Accept { namespace: "/", sid: "s", pid: None };
        namespaces.handle_input(now, accept, &limits);
        let mut last = None;
        for message in &example.messages {
            let event = namespaces.handle_input(now, server::Input::Message(message.data()), &limits);
            last = event.or(last);
        }
        example.check(&match last.expect("something comes of it") {
            server::Event::Incoming(incoming) => Ok(incoming),
            server::Event::Violation(server::Violation::Packet(error)) => Err(error),
            other => panic!("{}: {other:?}", example.name),
        });
    }
}

#[test]
fn msgpack_packets() {
    let (now, limits) = (Timestamp::default(), Limits::default());
    let dialect = Dialect { parser: Parser::MsgPack, ..Dialect::default() };
    let main = socket::Packet::Connect { namespace: "/", data: None };
    for example in examples(MSGPACK_PACKETS) {
        let mut namespaces = server::Namespaces::new(now, &limits).speaking(dialect);
        let message = || server::Input::Message(example.message().data());
        let mut event = namespaces.handle_input(now, message(), &limits);
        if event == Some(server::Event::Violation(server::Violation::NotJoined)) {
            let mut connect = Vec::new();
            socket::msgpack::encode(&main, &[], &mut connect);
            let connect = Data::Binary(connect.into());
            namespaces.handle_input(now, server::Input::Message(connect), &limits);
            let accept = server::Input::Accept { namespace: "/", sid: "s", pid: None };
            namespaces.handle_input(now, accept, &limits);
            event = namespaces.handle_input(now, message(), &limits);
        }
        example.check(&Ok::<_, ()>(event.expect("something comes of it")));
    }
}

struct Example {
    name: &'static str,
    messages: Vec<Message>,
    /// What `Debug` shows of the result.
    expected: Result<&'static str, &'static str>,
}

enum Message {
    Wire(String),
    Reads(String),
    Binary(Vec<u8>),
}

impl Message {
    fn data(&self) -> Data<'_> {
        match self {
            Self::Wire(text) | Self::Reads(text) => Data::Text(text),
            Self::Binary(bytes) => Data::Binary(Cow::Borrowed(bytes)),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Wire(text) | Self::Reads(text) => text,
            Self::Binary(_) => panic!("these examples are text"),
        }
    }

    /// The text, when encoding has to give it back.
    fn is_our_own(&self) -> Option<&str> {
        match self {
            Self::Wire(text) => Some(text),
            Self::Reads(_) | Self::Binary(_) => None,
        }
    }
}

impl Example {
    fn message(&self) -> &Message {
        let [message] = &*self.messages else { panic!("{}: one message is expected", self.name) };
        message
    }

    fn check(&self, result: &Result<impl Debug, impl Debug>) {
        let shown = match result {
            Ok(value) => Ok(format!("{value:?}")),
            Err(error) => Err(format!("{error:?}")),
        };
        let shown = shown.as_ref().map(String::as_str).map_err(String::as_str);
        assert_eq!(shown, self.expected, "{}", self.name);
    }
}

fn examples(file: &'static str) -> Vec<Example> {
    let mut examples = Vec::<Example>::new();
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, text) = line.split_once(' ').unwrap_or((line, ""));
        let text = text.trim_start();
        if word == "=" {
            examples.push(Example { name: text, messages: Vec::new(), expected: Err("nothing is expected") });
            continue;
        }
        let example = examples.last_mut().expect("an example begins with its name");
        match word {
            "wire" => example.messages.push(Message::Wire(unfold(text))),
            "reads" => example.messages.push(Message::Reads(unfold(text))),
            "binary" => example.messages.push(Message::Binary(bytes(text))),
            "is" => example.expected = Ok(text),
            "error" => example.expected = Err(text),
            other => panic!("{}: what is {other:?}?", example.name),
        }
    }
    assert!(examples.len() > 5, "the file holds examples");
    examples
}

/// Puts the characters in for their numbers; `⟨⟩` stands for nothing.
fn unfold(text: &str) -> String {
    let mut parts = text.split('⟨');
    let mut unfolded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('⟩').expect("a bracket is closed");
        if !number.is_empty() {
            let code = u32::from_str_radix(number, 16).expect("a hexadecimal number");
            unfolded.push(char::from_u32(code).expect("a character"));
        }
        unfolded.push_str(rest);
    }
    unfolded
}

fn bytes(text: &str) -> Vec<u8> {
    let byte = |byte| u8::from_str_radix(byte, 16).expect("a hexadecimal byte");
    text.split_whitespace().map(byte).collect()
}
