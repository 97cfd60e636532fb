//! WebSockets: frames to events and back, on any split of the bytes and on any stream.

use crate::echo;
use crate::support::{Frame, PATH, Running, Ws, masked, start};
use encke_server::{Limits, Server};
use std::time::Duration;
use tokio::net::UnixStream;

#[tokio::test]
async fn events_of_one_read_are_answered_in_order() {
    let running = start(echo()).await;
    let mut client = Ws::join(running.address).await;
    let events: Vec<Vec<u8>> =
        (0..5_000).map(|id| masked(0x81, format!(r#"42{id}["echo",{id}]"#).as_bytes())).collect();
    client.raw(&events.concat()).await;
    for id in 0..5_000 {
        assert_eq!(client.next_text().await, format!("43{id}[{id}]"));
    }
}

#[tokio::test]
async fn a_frame_may_come_byte_by_byte_and_a_message_in_fragments() {
    let running = start(echo()).await;
    let mut client = Ws::join(running.address).await;
    client.0.set_nodelay(true).expect("set");
    for byte in masked(0x81, r#"421["echo","🦀"]"#.as_bytes()) {
        client.raw(&[byte]).await;
    }
    assert_eq!(client.next_text().await, r#"431["🦀"]"#);
    client.raw(&[masked(0x01, br#"422["ec"#), masked(0x89, b"hey"), masked(0x80, br#"ho"]"#)].concat()).await;
    assert_eq!(client.next().await, Frame { first: 0x8A, payload: b"hey".to_vec() });
    assert_eq!(client.next_text().await, "432[]");
}

#[tokio::test]
async fn a_frame_larger_than_a_read_comes_back_whole() {
    let running = start(echo()).await;
    let mut client = Ws::join(running.address).await;
    let text = "x".repeat(900_000);
    client.text(&format!(r#"421["echo","{text}"]"#)).await;
    client.text(r#"422["echo"]"#).await;
    assert_eq!(client.next_text().await, format!(r#"431["{text}"]"#));
    assert_eq!(client.next_text().await, "432[]");
}

#[tokio::test]
async fn attachments_are_frames_of_their_own() {
    let running = start(echo()).await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"452-1["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#).await;
    client.raw(&[masked(0x82, &[1, 2]), masked(0x82, &[])].concat()).await;
    let text = r#"462-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(client.next_text().await, text);
    assert_eq!(client.next().await, Frame { first: 0x82, payload: vec![1, 2] });
    assert_eq!(client.next().await, Frame { first: 0x82, payload: vec![] });
}

#[tokio::test]
async fn whoever_breaks_the_rules_is_told_by_a_close_code_and_others_notice_nothing() {
    let limits = Limits { max_payload: 10_000, ..Limits::default() };
    let running = start(echo().limits(limits)).await;
    let mut other = Ws::join(running.address).await;
    for (frames, code) in [
        (b"\x81\x01a".to_vec(), 1002),
        (masked(0xC1, b"a"), 1002),
        (masked(0x83, b"a"), 1002),
        (masked(0x80, b"a"), 1002),
        (masked(0x81, &[0xFF]), 1007),
        (masked(0x82, &[0; 10_001]), 1009),
        (masked(0x81, b"9"), 1002),
        (masked(0x81, b""), 1002),
        (masked(0x81, b"42["), 1002),
        (masked(0x81, b"40"), 1002),
        (masked(0x81, b"42/other,[\"x\"]"), 1002),
        (masked(0x88, &1000_u16.to_be_bytes()), 1000),
        (masked(0x88, b""), 1000),
    ] {
        let mut client = Ws::join(running.address).await;
        client.raw(&frames).await;
        assert_eq!(client.close_code().await, code, "{:?}", &frames[..frames.len().min(20)]);
    }
    other.text(r#"421["echo",1]"#).await;
    assert_eq!(other.next_text().await, "431[1]");
}

#[tokio::test]
async fn a_heartbeat_comes_after_the_interval_and_must_be_answered() {
    let builder = echo().ping_interval(Duration::from_millis(100)).ping_timeout(Duration::from_secs(1));
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    for _ in 0..3 {
        assert_eq!(client.next_text().await, "2");
        client.text("3").await;
    }
    assert_eq!(client.next_text().await, "2");
    assert_eq!(client.close_code().await, 1000);
}

#[tokio::test]
async fn a_client_that_never_enters_a_namespace_is_let_go() {
    let limits = Limits { connect_timeout: Duration::from_millis(500), ..Limits::default() };
    let running = start(echo().limits(limits)).await;
    let mut joined = Ws::join(running.address).await;
    let mut idle = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    assert_eq!(idle.close_code().await, 1000);
    joined.text(r#"421["echo",1]"#).await;
    assert_eq!(joined.next_text().await, "431[1]");
}

#[tokio::test]
async fn a_stream_that_is_no_tcp_socket_works_the_slow_way() {
    let server: Server = echo().build();
    let path = std::env::temp_dir().join(format!("encke-test-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = tokio::net::UnixListener::bind(&path).expect("bound");
    let router = server.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let stream = UnixStream::connect(&path).await.expect("a server");
    std::fs::remove_file(&path).expect("removed");
    let mut client = Ws::over(stream, &format!("{PATH}&transport=websocket")).await.enter().await;
    let text = "x".repeat(500_000);
    for id in 0..4 {
        client.text(&format!(r#"42{id}["echo","{text}"]"#)).await;
    }
    for id in 0..4 {
        assert_eq!(client.next_text().await, format!(r#"43{id}["{text}"]"#));
    }
    tokio::join!(server.close(Duration::from_secs(5)), async { assert_eq!(client.close_code().await, 1001) });
}

#[tokio::test]
async fn hundreds_of_sessions_one_after_the_other_leave_nothing() {
    let running: Running = start(echo()).await;
    for _ in 0..300 {
        let mut client = Ws::join(running.address).await;
        client.raw(&[masked(0x81, b"41"), masked(0x88, b"")].concat()).await;
        client.close_code().await;
    }
    let namespace = running.server.namespace("/").expect("registered");
    assert!(namespace.is_empty());
}
