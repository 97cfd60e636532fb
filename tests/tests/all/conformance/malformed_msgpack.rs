//! What is no packet of msgpack: the session that sent it ends, the server and everybody else go on.

use super::{Bystander, server};
use encke_tests::frames::{Frames, frame, text};

/// What every event begins with, up to its data.
const EVENT: &[u8] = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data";

/// Data of an event that ends the session.
const DATA: &[(&str, &[u8])] = &[
    ("nothing", b""),
    ("nil", b"\xc0"),
    ("a map", b"\x80"),
    ("an array without a name", b"\x90"),
    ("a name that is binary", b"\x91\xc4\x01x"),
    ("a name that is a list", b"\x91\x90"),
    ("a reserved name", b"\x91\xaadisconnect"),
    ("an array that ends early", b"\x93\xa4echo\x01"),
    ("an array of four billion", b"\xdd\xff\xff\xff\xff\xa4echo"),
    ("a map of four billion", b"\x92\xa4echo\xdf\xff\xff\xff\xff"),
    ("a string of four billion", b"\x92\xa4echo\xdb\xff\xff\xff\xff"),
    ("binary of four billion", b"\x92\xa4echo\xc6\xff\xff\xff\xff"),
    ("an extension of four billion", b"\x92\xa4echo\xc9\xff\xff\xff\xff\x00"),
    ("a date that ends early", b"\x92\xa4echo\xd7\x00\x01"),
    ("a float that ends early", b"\x92\xa4echo\xcb\x01"),
    ("a string that is not UTF-8", b"\x92\xa4echo\xa1\xff"),
    ("half of a pair of surrogates", b"\x92\xa4echo\xa3\xed\xa0\x80"),
    ("a key that is nil", b"\x92\xa4echo\x81\xc0\x01"),
    ("a key that is binary", b"\x92\xa4echo\x81\xc4\x01k\x01"),
    ("a byte that means nothing", b"\x92\xa4echo\xc1"),
    ("something behind the packet", b"\x91\xa4echo\xc0"),
];

/// Messages that end a session.
const MESSAGES: &[(&str, &[u8])] = &[
    ("nothing", b""),
    ("no map", b"\xc0"),
    ("an empty map", b"\x80"),
    ("an unknown packet type", b"\x82\xa4type\x07\xa3nsp\xa1/"),
    ("a packet type that is text", b"\x82\xa4type\xa12\xa3nsp\xa1/"),
    ("a packet type below zero", b"\x82\xa4type\xff\xa3nsp\xa1/"),
    ("no namespace", b"\x81\xa4type\x01"),
    ("a namespace that is a number", b"\x82\xa4type\x01\xa3nsp\x2f"),
    ("a second join", b"\x82\xa4type\x00\xa3nsp\xa1/"),
    ("join data that is no object", b"\x83\xa4type\x00\xa3nsp\xa7/second\xa4data\x90"),
    ("a refusal, which only servers send", b"\x83\xa4type\x04\xa3nsp\xa1/\xa4data\x80"),
    ("an ack without id", b"\x83\xa4type\x03\xa3nsp\xa1/\xa4data\x90"),
    ("an id below zero", b"\x84\xa4type\x03\xa3nsp\xa1/\xa2id\xff\xa4data\x90"),
    ("an id that is text", b"\x84\xa4type\x03\xa3nsp\xa1/\xa2id\xa11\xa4data\x90"),
    ("a key that is a number", b"\x81\x01\x01"),
    ("an event in a namespace never joined", b"\x83\xa4type\x02\xa3nsp\xa7/second\xa4data\x91\xa4echo"),
];

async fn ends(address: &str, what: &str, bytes: &[u8]) {
    let mut socket = Frames::open_at(address, "/msgpack/?EIO=4&transport=websocket").await;
    assert!(socket.read().await.text().starts_with("0{"));
    socket.write(&frame(0x82, b"\x82\xa4type\x00\xa3nsp\xa1/")).await;
    assert_eq!(socket.read().await.head, 0x82);
    socket.write(bytes).await;
    assert!(socket.ended().await, "{what}");
}

#[tokio::test]
async fn a_session_ends_at_what_is_no_packet() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let events = DATA.iter().map(|(what, data)| (*what, [EVENT, data].concat()));
    let messages = MESSAGES.iter().map(|(what, message)| (*what, message.to_vec()));
    for (what, message) in events.chain(messages) {
        ends(server.address(), what, &frame(0x82, &message)).await;
    }
    ends(server.address(), "text", &text(r#"2["echo"]"#)).await;
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn nesting_and_binary_without_end_end_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    for (what, argument) in [
        ("arrays in arrays", vec![0x91; 900_000]),
        ("maps in maps", [0x81, 0x01].repeat(400_000)),
        ("binary in an array", [&[0xdd, 0, 6, 0, 0][..], &[0xc4, 0].repeat(0x6_0000)].concat()),
    ] {
        let event = [EVENT, b"\x92\xa4echo", &argument].concat();
        ends(server.address(), what, &frame(0x82, &event)).await;
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn what_looks_like_a_placeholder_brings_nothing_back_twice() {
    let server = server().await;
    let mut socket = Frames::open_at(server.address(), "/msgpack/?EIO=4&transport=websocket").await;
    socket.write(&frame(0x82, b"\x82\xa4type\x00\xa3nsp\xa1/")).await;
    for _ in 0..2 {
        socket.read().await;
    }
    // Half of it binary, half of it objects that a client in text would mean that binary by.
    let binary = [&[0xc6, 0, 6, 0, 0][..], &[7; 0x6_0000]].concat();
    let objects = b"\x82\xac_placeholder\xc3\xa3num\x00".repeat(10_000);
    let data = [b"\xdd\x00\x00\x27\x12\xa4echo", &*binary, &objects].concat();
    let head = b"\x84\xa4type\x02\xa3nsp\xa1/\xa2id\x01\xa4data";
    socket.write(&frame(0x82, &[&head[..], &data].concat())).await;
    let answer = socket.read().await.payload;
    assert!(answer.len() < 1_000_000, "{} bytes", answer.len());
    assert!(answer.ends_with(&objects[..20]));
}
