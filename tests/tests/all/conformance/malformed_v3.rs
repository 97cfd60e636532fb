//! What is no packet of Engine.IO v3: the session that sent it ends, the server and everybody else go on.

use super::{Bystander, server};
use encke_tests::engine::{Answer, answer, http};
use encke_tests::frames::{Frames, frame, text};

const QUERY: &str = "EIO=3&transport=websocket";
const TEXT: &str = "text/plain;charset=UTF-8";
const BYTES: &str = "application/octet-stream";

/// The first byte of a frame, and its payload.
type Sent = (u8, &'static [u8]);

/// Frames that end a session.
const FRAMES: &[(&str, &[Sent])] = &[
    ("nothing", &[(0x81, b"")]),
    ("bytes without a packet type", &[(0x82, b"")]),
    ("bytes that are a ping", &[(0x82, b"\x02")]),
    ("bytes that are no packet", &[(0x82, b"\xff\xff")]),
    ("a pong, which only servers send", &[(0x81, b"3")]),
    ("a second handshake", &[(0x81, b"0{}")]),
    ("base64 without a packet type", &[(0x81, b"b")]),
    ("base64 that is a ping", &[(0x81, b"b2AQ==")]),
    ("broken base64", &[(0x81, b"b4A")]),
    ("an attachment that nobody announced", &[(0x82, b"\x04\x01")]),
    ("the same as text", &[(0x81, b"b4AQ==")]),
    (
        "text where an attachment is due",
        &[(0x81, br#"451-["echo",{"_placeholder":true,"num":0}]"#), (0x81, b"42[1]")],
    ),
    ("a namespace that it has entered without a word", &[(0x81, b"40")]),
    ("an event in a namespace never joined", &[(0x81, br#"42/second,["echo"]"#)]),
];

/// Bodies that end a session.
const BODIES: &[(&str, &str, &[u8])] = &[
    ("nothing", TEXT, b""),
    ("a payload of v4", TEXT, b"2\x1e42[\"echo\"]"),
    ("a length that is negative", TEXT, b"-1:4"),
    ("a length with an exponent", TEXT, b"1e1:4234567890"),
    ("a length that is no number", TEXT, b"NaN:4"),
    ("a length with a space", TEXT, b" 1:2"),
    ("a length beyond the body", TEXT, b"99999999:4"),
    ("a length beyond all numbers", TEXT, b"99999999999999999999999999999999:4"),
    ("a length that cuts a character in two", TEXT, b"2:4\xf0\x9f\x98\x80"),
    ("what is not UTF-8", TEXT, b"2:4\xff"),
    ("text as bytes", BYTES, b"1:2"),
    ("a length without an end", BYTES, &[0; 400]),
    ("a digit that is none", BYTES, &[0, b'1', 0xff, b'2']),
    ("bytes that are fewer than announced", BYTES, &[1, 9, 9, 9, 9, 9, 9, 9, 0xff, 4]),
    ("text in bytes that is not UTF-8", BYTES, &[0, 2, 0xff, b'4', 0xff]),
    ("bytes in bytes that are no message", BYTES, &[1, 1, 0xff, 0]),
];

#[tokio::test]
async fn a_websocket_session_of_v3_ends_at_what_is_no_packet() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    for (what, frames) in FRAMES {
        let mut socket = Frames::open_at(server.address(), &format!("/engine-v3/?{QUERY}")).await;
        assert!(socket.read().await.text().starts_with("0{"));
        assert_eq!(socket.read().await.text(), "40");
        for (head, payload) in *frames {
            socket.write(&frame(*head, payload)).await;
        }
        assert!(socket.ended().await, "{what}");
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn a_polling_session_of_v3_ends_at_what_is_no_payload() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let endpoint = format!("{}/engine-v3/?EIO=3&transport=polling", server.url());
    let many = "1:6".repeat(100_000).into_bytes();
    for (what, kind, body) in BODIES.iter().chain(&[("too many packets", TEXT, &many[..])]) {
        let opened = answer(http().get(&endpoint).send().await.expect("it answers")).await.body;
        let (_, sid) = opened.split_once(r#""sid":""#).expect("a session has an id");
        let url = format!("{endpoint}&sid={}", sid.split('"').next().unwrap_or_default());
        let post = http().post(&url).header("Content-Type", *kind).body(body.to_vec());
        let posted = answer(post.send().await.expect("it answers")).await;
        assert!(posted == Answer::ok() || posted.status == 400, "{what}: {posted:?}");
        let polled = answer(http().get(&url).send().await.expect("it answers")).await;
        assert_eq!(polled, Answer::refusal(400, 1, "Session ID unknown"), "{what}");
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn pings_without_end_end_the_session_that_reads_nothing() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let mut socket = Frames::open_at(server.address(), &format!("/engine-v3/?{QUERY}")).await;
    let pings = text("2").repeat(10_000);
    // Each is answered. What nobody reads is bounded, so writing fails before memory does.
    socket.write_until_refused(&pings).await;
    bystander.is_undisturbed().await;
}
