//! Compressed messages over WebSockets (RFC 7692), and compressed answers to polls.

use crate::echo;
use crate::support::{Frame, Http, PATH, Polling, Running, UPGRADE, Ws, masked, sid_in, start};
use encke_server::{Limits, Server, ServerBuilder};
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use std::io::Read;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

const OFFER: &str = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

fn deflate(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 1_000);
    let mut state = Compress::new(Compression::best(), false);
    state.compress_vec(payload, &mut out, FlushCompress::Sync).expect("compressed");
    assert!(out.ends_with(&[0, 0, 0xFF, 0xFF]));
    out.truncate(out.len() - 4);
    out
}

fn inflate(frame: &Frame) -> String {
    assert_eq!(frame.first, 0xC1, "compressed text");
    let mut out = Vec::with_capacity(2_000_000);
    // Each by itself: a fresh state reads it.
    let mut state = Decompress::new(false);
    let whole = [&frame.payload[..], &[0, 0, 0xFF, 0xFF]].concat();
    state.decompress_vec(&whole, &mut out, FlushDecompress::Sync).expect("it was compressed");
    String::from_utf8(out).expect("text")
}

async fn open(running: &Running, offer: &str) -> (Ws<TcpStream>, Option<String>) {
    let mut http = Http::open(running.address).await;
    let headers = format!("{UPGRADE}{offer}");
    let answer = http.request("GET", &format!("{PATH}&transport=websocket"), &headers, b"").await;
    assert_eq!(answer.status, 101);
    (Ws(http.0), answer.header("sec-websocket-extensions").map(str::to_owned))
}

async fn join(running: &Running) -> Ws<TcpStream> {
    let (ws, agreed) = open(running, OFFER).await;
    let agreed = agreed.expect("the offer is taken");
    assert_eq!(agreed, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    ws.enter().await
}

fn deflating() -> ServerBuilder {
    echo().per_message_deflate(150)
}

#[tokio::test]
async fn long_messages_are_compressed_both_ways_and_short_ones_are_not() {
    let running = start(deflating()).await;
    let mut ws = join(&running).await;
    for length in [200, 70_000, 900_000] {
        let event = format!(r#"421["echo","{}"]"#, "é🦀".repeat(length / 6));
        ws.raw(&masked(0xC1, &deflate(event.as_bytes()))).await;
        let answer = ws.next().await;
        assert!(answer.payload.len() < length / 3);
        assert_eq!(inflate(&answer), event.replacen(r#"421["echo","#, "431[", 1));
    }
    ws.raw(&masked(0xC1, &deflate(br#"422["echo","short"]"#))).await;
    assert_eq!(ws.next_text().await, r#"432["short"]"#);
    let long = format!(r#"423["echo","{}"]"#, "a".repeat(200));
    ws.text(&long).await;
    assert_eq!(inflate(&ws.next().await), long.replacen(r#"423["echo","#, "433[", 1), "though it was plain");
}

#[tokio::test]
async fn what_does_not_get_shorter_goes_as_it_is_and_neighbours_keep_their_order() {
    let running = start(deflating()).await;
    let mut ws = join(&running).await;
    let noise: Vec<u8> = (0..300_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let long = |letter: &str| format!(r#"421["echo","{}"]"#, letter.repeat(300));
    let (first, last) = (long("a"), long("b"));
    let frames = [
        masked(0x81, first.as_bytes()),
        masked(0x81, br#"451-2["echo",{"_placeholder":true,"num":0}]"#),
        masked(0x82, &noise),
        masked(0x81, br#"423["echo","short"]"#),
        masked(0x81, last.as_bytes()),
    ];
    ws.raw(&frames.concat()).await;
    assert_eq!(inflate(&ws.next().await), first.replacen(r#"421["echo","#, "431[", 1));
    assert_eq!(ws.next_text().await, r#"461-2[{"_placeholder":true,"num":0}]"#);
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: noise });
    assert_eq!(ws.next_text().await, r#"433["short"]"#);
    assert_eq!(inflate(&ws.next().await), last.replacen(r#"421["echo","#, "431[", 1));
}

#[tokio::test]
async fn one_broadcast_is_for_those_who_read_compressed_messages_and_for_others() {
    let running = start(deflating()).await;
    let mut sender = join(&running).await;
    let mut members = [join(&running).await, join(&running).await];
    let mut plain = Ws::join(running.address).await;
    let mut polling = Polling::join(running.address).await;
    let event = format!(r#"42["chat","{}"]"#, "x".repeat(5_000));
    sender.text(&event).await;
    let [one, other] = &mut members;
    let (one, other) = (one.next().await, other.next().await);
    assert_eq!(one, other);
    assert_eq!(inflate(&one), event);
    assert_eq!(plain.next_text().await, event);
    assert_eq!(polling.poll().await, event);
}

#[tokio::test]
async fn an_event_may_be_left_out() {
    let running = start(Server::builder().per_message_deflate(150).namespace("/", |on| {
        on.on_named("send", |socket, _args, _ack| {
            let text = "y".repeat(500);
            let _ = socket.emit_named("compressed", &text);
            let _ = socket.compress(false).emit_named("plain", &text);
            socket.broadcast().compress(false).emit_named("plain", &text);
            socket.broadcast().emit_named("compressed", &text);
        });
    }))
    .await;
    let (mut ws, mut other) = (join(&running).await, join(&running).await);
    ws.text(r#"42["send"]"#).await;
    assert!(inflate(&ws.next().await).starts_with(r#"42["compressed","#));
    assert!(ws.next_text().await.starts_with(r#"42["plain","#));
    assert!(other.next_text().await.starts_with(r#"42["plain","#));
    assert!(inflate(&other.next().await).starts_with(r#"42["compressed","#));
}

#[tokio::test]
async fn what_waits_is_compressed_when_polling_changes_to_a_websocket() {
    let running = start(deflating()).await;
    let mut client = Polling::join(running.address).await;
    let mut http = Http::open(running.address).await;
    let target = format!("{PATH}&transport=websocket&sid={}", client.sid);
    let answer = http.request("GET", &target, &format!("{UPGRADE}{OFFER}"), b"").await;
    assert!(answer.header("sec-websocket-extensions").is_some());
    let mut ws = Ws(http.0);
    ws.text("2probe").await;
    assert_eq!(ws.next_text().await, "3probe");
    let event = format!(r#"421["echo","{}"]"#, "z".repeat(1_000));
    client.post(&event).await;
    ws.text("5").await;
    assert_eq!(inflate(&ws.next().await), event.replacen(r#"421["echo","#, "431[", 1));
}

#[tokio::test]
async fn a_small_window_that_the_client_asks_for_is_agreed_on() {
    let running = start(deflating()).await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n";
    let (ws, agreed) = open(&running, offer).await;
    assert!(agreed.expect("taken").ends_with("; server_max_window_bits=10"));
    let mut ws = ws.enter().await;
    let event = format!(r#"421["echo","{}"]"#, "abc".repeat(2_000));
    ws.text(&event).await;
    assert_eq!(inflate(&ws.next().await), event.replacen(r#"421["echo","#, "431[", 1));
}

#[tokio::test]
async fn nothing_is_agreed_on_unless_both_want_it() {
    for (builder, offer) in [
        (echo(), OFFER),
        (deflating(), ""),
        (deflating(), "Sec-WebSocket-Extensions: permessage-deflate; unknown\r\n"),
    ] {
        let running = start(builder).await;
        let (ws, agreed) = open(&running, offer).await;
        assert_eq!(agreed, None);
        let mut ws = ws.enter().await;
        ws.raw(&masked(0xC1, &deflate(b"3"))).await;
        assert_eq!(ws.close_code().await, 1002);
    }
}

#[tokio::test]
async fn a_bomb_is_defused() {
    let running = start(deflating().limits(Limits { max_payload: 10_000, ..Limits::default() })).await;
    let bomb = deflate(&vec![b'4'; 10_000_000]);
    assert!(bomb.len() < 10_000, "it goes through by its length");
    let halves = bomb.split_at(bomb.len() / 2);
    for frames in [masked(0xC1, &bomb), [masked(0x41, halves.0), masked(0x80, halves.1)].concat()] {
        let mut ws = join(&running).await;
        ws.raw(&frames).await;
        assert_eq!(ws.close_code().await, 1009);
    }
    // At the limit, and of what cannot be compressed.
    let mut ws = join(&running).await;
    let noise: String =
        (0..9_000_u32).map(|i| char::from(b'#' + (i.wrapping_mul(2_654_435_761) >> 25) as u8 % 57)).collect();
    let noise = noise.replace('\\', "/");
    let event = format!(r#"421["echo","{noise}{}"]"#, "z".repeat(10_000 - noise.len() - 14));
    assert_eq!(event.len(), 10_000);
    ws.raw(&masked(0xC1, &deflate(event.as_bytes()))).await;
    assert!(inflate(&ws.next().await).starts_with("431["));
}

#[tokio::test]
async fn what_is_no_compressed_message_ends_its_client_alone() {
    let running = start(deflating()).await;
    let mut bystander = join(&running).await;
    for (frames, code) in [
        (masked(0xC1, b"\xff\xff\xff\xff"), 1007),
        (masked(0xC1, &deflate(b"4\xff\xff")), 1007),
        (masked(0xC9, b"a compressed ping"), 1002),
        ([masked(0x01, b"4"), masked(0xC0, &deflate(b"x"))].concat(), 1002),
        (masked(0xD1, &deflate(b"3")), 1002),
    ] {
        let mut ws = join(&running).await;
        ws.raw(&frames).await;
        assert_eq!(ws.close_code().await, code, "{frames:x?}");
    }
    bystander.text(r#"421["echo",1]"#).await;
    assert_eq!(bystander.next_text().await, "431[1]");
}

#[tokio::test]
async fn long_answers_to_polls_are_compressed_as_the_client_likes() {
    let running = start(echo().http_compression(1_000)).await;
    let mut client = Polling::join(running.address).await;
    let sid = format!("&sid={}", client.sid);
    let event = format!(r#"421["echo","{}"]"#, "é".repeat(2_000));
    let answer = event.replacen(r#"421["echo","#, "431[", 1);
    for coding in ["gzip", "deflate", ""] {
        client.post(&event).await;
        let mut http = Http::open(running.address).await;
        let headers = format!("Connection: close\r\nAccept-Encoding: {coding}\r\n");
        http.send("GET", &format!("{PATH}&transport=polling{sid}"), &headers, b"").await;
        let mut all = Vec::new();
        crate::support::within(http.0.read_to_end(&mut all)).await.expect("an answer");
        let end = all.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let body = all.split_off(end + 4);
        let head = String::from_utf8(all).expect("text").to_lowercase();
        let mut text = String::new();
        match coding {
            "gzip" => drop(GzDecoder::new(&body[..]).read_to_string(&mut text).expect("gzip")),
            "deflate" => drop(ZlibDecoder::new(&body[..]).read_to_string(&mut text).expect("deflate")),
            _ => text = String::from_utf8(body).expect("text"),
        }
        assert_eq!(text, answer, "{coding}");
        let said = head.contains(&format!("\r\ncontent-encoding: {coding}\r\n"));
        assert_eq!(said, !coding.is_empty(), "{head}");
        assert!(head.contains("vary: accept-encoding"), "{head}");
        assert!(head.contains("vary: origin"), "{head}");
    }
}

#[tokio::test]
async fn short_answers_and_those_of_a_server_that_was_not_told_are_not_compressed() {
    let (told, plain) = (start(echo().http_compression(1_000)).await, start(echo()).await);
    for running in [&told, &plain] {
        let target = format!("{PATH}&transport=polling");
        let opened =
            Http::open(running.address).await.request("GET", &target, "Accept-Encoding: gzip\r\n", b"").await;
        assert_eq!(opened.header("content-encoding"), None);
        sid_in(&opened.body);
    }
    let mut client = Polling::join(plain.address).await;
    client.post(&format!(r#"421["echo","{}"]"#, "a".repeat(5_000))).await;
    let target = client.target();
    let answer = client.polls.request("GET", &target, "Accept-Encoding: gzip\r\n", b"").await;
    assert_eq!(answer.header("content-encoding"), None);
}
