//! Engine.IO packets, payloads, base64, handshakes and queries.

use super::{bytes, mutated, text};
use ::base64::Engine as _;
use ::base64::alphabet::STANDARD;
use ::base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use encke_protocol::engine::{
    Data, Handshake, Packet, PacketError, Query, Transport, Upgrades, Version, base64, jsonp, payload, v3,
};
use proptest::prelude::*;
use std::borrow::Cow;

/// A packet that owns what it carries.
#[derive(Clone, Debug)]
enum Owned {
    Open(String),
    Close,
    Ping(String),
    Pong(String),
    Text(String),
    Binary(Vec<u8>),
    Upgrade,
    Noop,
}

impl Owned {
    fn packet(&self) -> Packet<'_> {
        match self {
            Self::Open(text) => Packet::Open(text),
            Self::Close => Packet::Close,
            Self::Ping(text) => Packet::Ping(text),
            Self::Pong(text) => Packet::Pong(text),
            Self::Text(text) => Packet::Message(Data::Text(text)),
            Self::Binary(bytes) => Packet::Message(Data::Binary(Cow::Borrowed(bytes))),
            Self::Upgrade => Packet::Upgrade,
            Self::Noop => Packet::Noop,
        }
    }
}

fn packet(text: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = Owned> {
    prop_oneof![
        1 => text.clone().prop_map(Owned::Open),
        1 => Just(Owned::Close),
        1 => text.clone().prop_map(Owned::Ping),
        1 => text.clone().prop_map(Owned::Pong),
        4 => text.prop_map(Owned::Text),
        2 => bytes().prop_map(Owned::Binary),
        1 => Just(Owned::Upgrade),
        1 => Just(Owned::Noop),
    ]
}

/// As JSON makes it: without the separator of payloads.
fn unseparated() -> impl Strategy<Value = String> + Clone {
    text().prop_map(|text| text.replace(payload::SEPARATOR, "")).boxed()
}

fn payload_body() -> impl Strategy<Value = String> {
    prop::collection::vec(packet(unseparated()), 1..payload::MAX_PACKETS).prop_map(|packets| {
        let mut body = String::new();
        packets.iter().for_each(|packet| payload::append(&mut body, &packet.packet()));
        body
    })
}

proptest! {
    #[test]
    fn a_text_packet_is_decoded_as_it_was_encoded(owned in packet(text().boxed())) {
        let packet = owned.packet();
        let mut wire = String::new();
        packet.encode_text(&mut wire);
        if let Owned::Binary(_) = owned {
            return Ok(());
        }
        prop_assert_eq!(Packet::decode(Data::Text(&wire)), Ok(packet));
    }

    #[test]
    fn bytes_are_always_a_message(bytes in bytes()) {
        let packet = Packet::decode(Data::Binary(Cow::Borrowed(&bytes)));
        prop_assert_eq!(packet, Ok(Packet::Message(Data::Binary(Cow::Borrowed(&bytes)))));
    }

    #[test]
    fn a_payload_is_decoded_as_it_was_encoded(owned in prop::collection::vec(packet(unseparated()), 1..20)) {
        let mut body = String::new();
        owned.iter().for_each(|packet| payload::append(&mut body, &packet.packet()));
        let decoded: Result<Vec<_>, _> = payload::decode(&body, 20).collect();
        prop_assert_eq!(decoded, Ok(owned.iter().map(Owned::packet).collect::<Vec<_>>()));
    }

    #[test]
    fn a_damaged_payload_is_read_up_to_its_first_error(body in mutated(payload_body()), limit in 0..20_usize) {
        let packets: Vec<_> = payload::decode(&body, limit).collect();
        let good = packets.iter().take_while(|packet| packet.is_ok()).count();
        prop_assert!(good <= limit);
        prop_assert!(packets.len() <= good + 1, "an error is the last");
        let parts = body.split(payload::SEPARATOR).count();
        prop_assert_eq!(packets.last() == Some(&Err(PacketError::TooManyPackets)), good == limit && parts > limit);
        // What is read does not depend on the limit.
        let unlimited: Vec<_> = payload::decode(&body, usize::MAX).take(good).collect();
        prop_assert_eq!(&packets[..good], &*unlimited);
        // No more is allocated than has arrived.
        let size: usize = packets.iter().flatten().map(|packet| match packet {
            Packet::Message(data) => data.len(),
            _ => 0,
        }).sum();
        prop_assert!(size <= body.len());
    }

    #[test]
    fn any_text_is_a_packet_or_an_error(text in any::<String>()) {
        if let Ok(packet) = Packet::decode(Data::Text(&text)) {
            let mut wire = String::new();
            packet.encode_text(&mut wire);
            prop_assert_eq!(wire, text);
        }
    }

    #[test]
    fn base64_is_what_everybody_writes(bytes in bytes()) {
        let mut ours = String::from("x");
        base64::encode(&bytes, &mut ours);
        prop_assert_eq!(&ours[1..], ::base64::engine::general_purpose::STANDARD.encode(&bytes));
        prop_assert_eq!(base64::decode(&ours[1..]), Some(bytes));
    }

    #[test]
    fn base64_is_read_as_everybody_reads_it(text in mutated(bytes().prop_map(|bytes| {
        ::base64::engine::general_purpose::STANDARD.encode(bytes)
    }))) {
        // As browsers and Node do, we do not look at the bits beyond the last byte.
        let theirs = GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
        prop_assert_eq!(base64::decode(&text), theirs.decode(&text).ok());
    }

    #[test]
    fn a_handshake_is_decoded_as_it_was_encoded(
        sid in "[a-zA-Z0-9._~-]{1,40}",
        websocket in any::<bool>(),
        (ping_interval, ping_timeout, max_payload) in any::<(u32, u32, u32)>(),
    ) {
        let upgrades = if websocket { Upgrades::WebSocket } else { Upgrades::None };
        let handshake = Handshake { sid, upgrades, ping_interval, ping_timeout, max_payload };
        prop_assert_eq!(Handshake::decode(&handshake.encode()), Ok(handshake.clone()));
        let theirs: serde_json::Value = serde_json::from_str(&handshake.encode()).expect("JSON");
        prop_assert_eq!(theirs["pingInterval"].as_u64(), Some(ping_interval.into()));
    }

    #[test]
    fn a_handshake_gives_no_session_id_that_would_change_a_query(text in mutated(Just(
        r#"{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":9}"#.to_owned()
    ))) {
        if let Ok(handshake) = Handshake::decode(&text) {
            let mut query = String::new();
            let sid = Some(&*handshake.sid);
            Query { version: None, transport: Transport::Polling, sid, jsonp: None, base64: false }.encode(&mut query);
            prop_assert_eq!(Query::decode(&query).map(|query| query.sid), Ok(sid));
        }
    }

    #[test]
    fn a_query_is_decoded_as_it_was_encoded(
        websocket in any::<bool>(),
        sid in prop::option::of("[a-zA-Z0-9._~-]{1,40}"),
        jsonp in prop::option::of(any::<u32>().prop_map(jsonp::Index)),
    ) {
        let transport = if websocket { Transport::WebSocket } else { Transport::Polling };
        let query = Query { version: Some(Version::V4), transport, sid: sid.as_deref(), jsonp, base64: false };
        let mut text = String::new();
        query.encode(&mut text);
        prop_assert_eq!(Query::decode(&text), Ok(query));
    }

    #[test]
    fn any_query_is_read_or_refused(text in mutated(Just("EIO=4&transport=polling&sid=abc&j=0&t=x".to_owned()))) {
        let _ = Query::decode(&text);
    }

    #[test]
    fn a_script_holds_its_payload_as_a_literal_and_nothing_else(index in any::<u32>(), payload in text()) {
        let script = jsonp::script(jsonp::Index(index), &payload);
        let literal = script.strip_prefix(&format!("___eio[{index}](")).and_then(|rest| rest.strip_suffix(");"));
        let read: Option<String> = literal.and_then(|literal| serde_json::from_str(literal).ok());
        prop_assert_eq!(read.as_ref(), Some(&payload));
        let ends_nothing = !script.contains(['<', '\u{2028}', '\u{2029}', '\n', '\r']);
        prop_assert!(ends_nothing, "{}", script);
    }

    #[test]
    fn a_field_is_decoded_as_it_was_encoded(payload in text()) {
        prop_assume!(!payload.contains('\n'));
        let field = jsonp::encode_field(&payload);
        prop_assert_eq!(&*jsonp::decode_field(&field), &payload);
    }

    #[test]
    fn backslashes_before_an_n_are_kept_apart(payload in r"[\\na]{0,12}") {
        let field = jsonp::encode_field(&payload);
        prop_assert_eq!(&*jsonp::decode_field(&field), &payload);
    }
}

/// What a client of v3 could post, often nearly right.
fn body_of_v3() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => text().prop_map(|text| {
            let mut body = String::new();
            v3::append(&mut body, &format!("4{text}"));
            body.into_bytes()
        }),
        2 => bytes().prop_map(|bytes| [&[1, u8::try_from(bytes.len() % 10).expect("small"), 0xff, 4], &*bytes].concat()),
        1 => bytes(),
        1 => "[0-9b:]{0,12}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(part, 0..4).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_body_of_v3_is_packets_or_an_error(body in body_of_v3(), text in mutated(Just("6:4hello1:210:b4AQIDBA==".to_owned()))) {
        for data in [Data::Binary((&*body).into()), Data::Text(&String::from_utf8_lossy(&body)), Data::Text(&text)] {
            let packets: Vec<_> = v3::decode_payload(&data, 16).collect();
            prop_assert!(packets.len() <= 17);
            prop_assert!(packets.iter().rev().skip(1).all(Result::is_ok), "an error is the last");
            let _ = v3::decode(data.clone());
        }
    }

    #[test]
    fn a_payload_of_v3_is_decoded_as_it_was_encoded(messages in prop::collection::vec((text(), prop::option::of(bytes())), 0..10)) {
        let packets: Vec<_> = messages.iter().map(|(text, bytes)| match bytes {
            Some(bytes) => Data::Binary((&**bytes).into()),
            None => Data::Text(text),
        }).collect();
        let mut body = String::new();
        for packet in &packets {
            match packet {
                Data::Binary(bytes) => v3::append_binary(&mut body, bytes),
                Data::Text(text) => v3::append(&mut body, &format!("4{text}")),
            }
        }
        if !body.is_empty() {
            let expected: Vec<_> = packets.into_iter().map(|data| Ok(Packet::Message(data))).collect();
            let body = Data::Text(&body);
            prop_assert_eq!(v3::decode_payload(&body, 16).collect::<Vec<_>>(), expected);
        }
    }
}
