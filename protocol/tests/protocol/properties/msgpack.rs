//! Packets of msgpack under any input, and as the same packets in text.

use super::{bytes, scanner, text};
use encke_protocol::Timestamp;
use encke_protocol::engine::Data;
use encke_protocol::socket::{
    AckId, Args, Dialect, Incoming, Limits, Packet, Parser, Revision, msgpack, server,
};
use proptest::prelude::*;
use serde_json::Value;

const LIMITS: Limits =
    Limits { max_attachments: 3, max_namespaces: 2, max_namespace_len: 40, connect_timeout: 45_000 };

/// The server's side of a session that has joined the main namespace.
fn joined(revision: Revision) -> server::Namespaces {
    let now = Timestamp::default();
    let dialect = Dialect { parser: Parser::MsgPack, revision };
    let mut namespaces = server::Namespaces::new(now, &LIMITS).speaking(dialect);
    let connect = encode(&Packet::Connect { namespace: "/", data: None }, &[]);
    namespaces.handle_input(now, server::Input::Message(Data::Binary(connect.into())), &LIMITS);
    namespaces.handle_input(now, server::Input::Accept { namespace: "/", sid: "s", pid: None }, &LIMITS);
    namespaces
}

fn encode(packet: &Packet<'_>, attachments: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    msgpack::encode(packet, attachments, &mut bytes);
    bytes
}

fn decode(bytes: &[u8]) -> Option<Incoming<'static>> {
    let input = server::Input::Message(Data::Binary(bytes.to_vec().into()));
    match joined(Revision::V5).handle_input(Timestamp::default(), input, &LIMITS) {
        Some(server::Event::Incoming(incoming)) => Some(match incoming {
            Incoming::Event { id, name, args, .. } => Incoming::Event {
                namespace: "/".into(),
                id,
                name: name.into_owned().into(),
                args: args.into_owned(),
            },
            Incoming::Ack { id, args, .. } => {
                Incoming::Ack { namespace: "/".into(), id, args: args.into_owned() }
            }
        }),
        _ => None,
    }
}

fn values(args: &Args<'_>) -> Vec<Value> {
    serde_json::from_str(&format!("[{}]", args.text)).expect("JSON")
}

/// A placeholder, where `number` says so, somewhere in a value.
fn with_placeholder(value: Value, number: usize) -> Value {
    let placeholder = serde_json::json!({ "_placeholder": true, "num": number });
    match number % 3 {
        0 => placeholder,
        1 => serde_json::json!({ "deep": [value, placeholder] }),
        _ => serde_json::json!([{ "b": placeholder }, value]),
    }
}

proptest! {
    #[test]
    fn arguments_are_the_same_values_on_the_other_side(
        name in text().prop_map(|text| format!("x{text}")),
        id in prop::option::of(0..=AckId::MAX),
        args in prop::collection::vec(scanner::value(), 0..40),
        spaced in any::<bool>(),
    ) {
        let id = id.and_then(AckId::new);
        let args: Vec<Value> = args.iter().map(|arg| serde_json::from_str(&arg.to_string()).expect("JSON")).collect();
        let write = |value: &Value| if spaced { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text = args.iter().map(|arg| write(arg).expect("writable")).collect::<Vec<_>>().join(if spaced { " , " } else { "," });
        let event = Packet::Event { namespace: "/", id, name: (&*name).into(), args: &text, attachments: 0 };
        let Some(Incoming::Event { id: came, name: called, args: read, .. }) = decode(&encode(&event, &[])) else {
            return Err(TestCaseError::fail("an event comes"));
        };
        prop_assert_eq!((came, &*called), (id, &*name));
        prop_assert_eq!(values(&read), args);
        prop_assert!(read.attachments.is_empty());
    }

    #[test]
    fn binary_is_where_it_was(
        args in prop::collection::vec(scanner::value(), 3),
        attachments in prop::collection::vec(bytes(), 0..=3),
    ) {
        let args = args.iter().map(|arg| serde_json::from_str(&arg.to_string()).expect("JSON"));
        let args: Vec<Value> = args.take(attachments.len()).enumerate().map(|(number, arg)| with_placeholder(arg, number)).collect();
        let text = args.iter().map(Value::to_string).collect::<Vec<_>>().join(",");
        let id = AckId::new(7).expect("small");
        let ack = Packet::Ack { namespace: "/", id, args: &text, attachments: attachments.len() };
        let Some(Incoming::Ack { args: read, .. }) = decode(&encode(&ack, &attachments)) else {
            return Err(TestCaseError::fail("an ack comes"));
        };
        prop_assert_eq!(values(&read), args);
        prop_assert_eq!(read.attachments, attachments);
    }

    #[test]
    fn any_arguments_make_a_packet(text in any::<String>(), attachments in prop::collection::vec(bytes(), 0..2)) {
        // What is no JSON is nothing on the other side; what comes before it is there.
        let args = format!("1,{text}");
        let event = Packet::Event { namespace: "/", id: None, name: "x".into(), args: &args, attachments: 0 };
        let Some(Incoming::Event { args, .. }) = decode(&encode(&event, &attachments)) else {
            return Err(TestCaseError::fail("an event comes"));
        };
        prop_assert_eq!(args.iter().next(), Some("1"));
    }

    #[test]
    fn any_bytes_are_a_packet_or_an_error(
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        args in prop::collection::vec(scanner::value(), 0..4),
        attachments in prop::collection::vec(bytes(), 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        revision in prop::sample::select(vec![Revision::V4, Revision::V5]),
    ) {
        let args = args.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let args = format!("{{\"_placeholder\":true,\"num\":0}},{{\"num\":1,\"_placeholder\":true}},{args}");
        let event = Packet::Event { namespace: "/", id: AckId::new(1), name: "x".into(), args: args.trim_end_matches(','), attachments: 0 };
        let mut damaged = encode(&event, &attachments);
        for (at, byte) in noise {
            let at = at.index(damaged.len());
            damaged[at] = byte;
        }
        let head = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data";
        for bytes in [&*damaged, &bytes, &[head, &*bytes].concat()] {
            let input = server::Input::Message(Data::Binary(bytes.into()));
            if let Some(server::Event::Incoming(Incoming::Event { args, .. })) =
                joined(revision).handle_input(Timestamp::default(), input, &LIMITS)
            {
                values(&args);
                prop_assert!(args.attachments.len() <= LIMITS.max_attachments);
                // Passed on, it is written.
                let text = args.text.clone();
                let event = Packet::Event { namespace: "/", id: None, name: "x".into(), args: &text, attachments: 0 };
                prop_assert!(encode(&event, &args.attachments).len() < 20 * bytes.len() + 100);
            }
        }
    }
}

#[test]
fn nesting_has_the_bound_of_text() {
    let nested = |depth: usize| {
        let mut bytes = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1x".to_vec();
        bytes.extend(std::iter::repeat_n(0x91, depth));
        bytes.push(0xc0);
        bytes
    };
    // The array of the arguments is one of the 127.
    let deepest = decode(&nested(126)).expect("not too deep");
    let Incoming::Event { args, .. } = &deepest else { panic!("an event") };
    assert_eq!(values(args).len(), 1);
    let event =
        Packet::Event { namespace: "/", id: None, name: "x".into(), args: &args.text, attachments: 0 };
    assert_eq!(decode(&encode(&event, &[])).as_ref(), Some(&deepest), "and back");
    assert_eq!(decode(&nested(127)), None);
    assert_eq!(decode(&nested(1_000_000)), None);
}

#[test]
fn one_attachment_asked_for_a_thousand_times_is_sent_once() {
    let placeholder = r#"{"_placeholder":true,"num":0}"#;
    let args = vec![placeholder; 1_000].join(",");
    let event = Packet::Event { namespace: "/", id: None, name: "x".into(), args: &args, attachments: 1 };
    let bytes = encode(&event, &[vec![7; 100_000]]);
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let Some(Incoming::Event { args, .. }) = decode(&bytes) else { panic!("an event") };
    assert_eq!((args.iter().count(), args.attachments.len()), (1_000, 1));
}

#[test]
fn long_lists_and_texts_say_their_length() {
    for length in [15, 16, 255, 256, 65_535, 65_536] {
        let text = format!("[{}],\"{}\"", vec!["1"; length].join(","), "é".repeat(length));
        let event = Packet::Event { namespace: "/", id: None, name: "x".into(), args: &text, attachments: 0 };
        let Some(Incoming::Event { args, .. }) = decode(&encode(&event, &[])) else { panic!("an event") };
        assert_eq!(args.text, text, "{length}");
    }
}
