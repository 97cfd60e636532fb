//! Engine.IO alone: messages without Socket.IO above them.

use crate::support::{Http, PATH, Polling, UPGRADE, Ws, masked, sid_in, start, within};
use encke_server::raw::Message;
use encke_server::{CloseReason, Limits, Server, ServerBuilder};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Every message comes back; `close` ends the session, `panic` panics, `who` asks for its name and transport, `cut` for a text
/// with a separator and another.
fn echo() -> ServerBuilder {
    Server::builder().path("/socket.io").raw(|on| {
        on.on_message(|session, message| match message {
            Message::Text("close") => {
                session.send("bye");
                session.close();
            }
            Message::Text("panic") => panic!("as the test wants"),
            Message::Text("who") => {
                session.send(&format!("{} {:?}", session.id(), session.transport()));
            }
            Message::Text("cut") => {
                session.send("one\u{1e}1");
                session.send("next");
            }
            message => session.send(message),
        });
    })
}

/// A server that tells what its handlers hear.
fn telling() -> (ServerBuilder, UnboundedReceiver<String>) {
    let (sender, events) = unbounded_channel();
    let [opens, messages, closes] = [sender.clone(), sender.clone(), sender];
    let builder = Server::builder().path("/socket.io").raw(|on| {
        on.on_open(move |session| {
            session.send("welcome");
            let _ = opens.send("open".to_owned());
        });
        on.on_message(move |session, message| {
            if message == Message::Text("close") {
                session.close();
                session.send("too late");
            }
            let _ = messages.send(format!("{message:?}"));
        });
        on.on_close(move |_session, reason| {
            let _ = closes.send(format!("{reason:?}"));
        });
    });
    (builder, events)
}

async fn open(running: &crate::support::Running) -> Ws<TcpStream> {
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    assert!(ws.next_text().await.starts_with("0{"));
    ws
}

#[tokio::test]
async fn text_and_bytes_come_back_over_a_websocket() {
    let running = start(echo()).await;
    let mut ws = open(&running).await;
    for text in ["4", "4hello", "40", r#"42["no event"]"#, "4\u{1e}ä🦀\u{2028}"] {
        ws.text(text).await;
        assert_eq!(ws.next_text().await, text);
    }
    ws.raw(&masked(0x82, &[4, 0, 255])).await;
    let frame = ws.next().await;
    assert_eq!((frame.first, &frame.payload[..]), (0x82, &[4, 0, 255][..]));
}

#[tokio::test]
async fn text_and_bytes_come_back_over_polling_and_across_an_upgrade() {
    let running = start(echo()).await;
    let mut client = Polling::open(running.address).await;
    assert_eq!(client.post("4hello\u{1e}bAQIDBA==").await.body, "ok");
    assert_eq!(client.poll().await, "4hello\u{1e}bAQIDBA==");
    let mut ws = client.probe().await;
    client.post("4last").await;
    ws.text("5").await;
    ws.text("4first").await;
    assert_eq!([ws.next_text().await, ws.next_text().await], ["4last", "4first"]);
}

#[tokio::test]
async fn a_text_that_polling_would_cut_in_two_is_left_out_there() {
    let running = start(echo().engine_v3(true)).await;
    let mut client = Polling::open(running.address).await;
    client.post("4cut").await;
    assert_eq!(client.poll().await, "4next");
    let mut ws = client.probe().await;
    ws.text("5").await;
    ws.text("4cut").await;
    assert_eq!([ws.next_text().await, ws.next_text().await], ["4one\u{1e}1", "4next"]);
    // In version 3 the length of a packet stands before it.
    let mut http = Http::open(running.address).await;
    let target = "/socket.io/?EIO=3&transport=polling";
    let opened = http.request("GET", target, "", b"").await.body;
    let (_, packet) = opened.split_once(':').expect("a length");
    let sid = sid_in(packet.split_inclusive('}').next().expect("a handshake"));
    let target = format!("{target}&sid={sid}");
    http.request("POST", &target, "", b"4:4cut").await;
    assert_eq!(http.request("GET", &target, "", b"").await.body, "6:4one\u{1e}15:4next");
}

#[tokio::test]
async fn a_session_has_a_name_and_says_what_carries_it() {
    let running = start(echo()).await;
    let mut client = Polling::open(running.address).await;
    client.post("4who").await;
    assert_eq!(client.poll().await, format!("4{} Some(Polling)", client.sid));
    let mut ws = client.probe().await;
    client.post("4who").await;
    ws.text("5").await;
    ws.text("4who").await;
    assert_eq!(ws.next_text().await, format!("4{} Some(Polling)", client.sid));
    assert_eq!(ws.next_text().await, format!("4{} Some(WebSocket)", client.sid));
}

#[tokio::test]
async fn what_is_said_at_the_opening_comes_behind_the_handshake() {
    let (builder, _events) = telling();
    let running = start(builder).await;
    let mut ws = open(&running).await;
    assert_eq!(ws.next_text().await, "4welcome");
    let target = format!("{PATH}&transport=polling");
    let opened = Http::open(running.address).await.request("GET", &target, "", b"").await;
    assert!(opened.body.ends_with("}\u{1e}4welcome"));
}

#[tokio::test]
async fn a_close_is_told_once_and_last() {
    let (builder, mut events) = telling();
    let running = start(builder).await;
    let mut ws = open(&running).await;
    ws.text("4close").await;
    ws.text("4too late").await;
    assert_eq!(ws.next_text().await, "4welcome");
    assert_eq!(ws.close_code().await, 1000);
    let told = [within(events.recv()).await, within(events.recv()).await, within(events.recv()).await];
    let reason = format!("{:?}", CloseReason::ForcedClose);
    assert_eq!(told.map(Option::unwrap), ["open", r#"Text("close")"#, &reason]);
    drop(ws);
    open(&running).await;
    assert_eq!(within(events.recv()).await.as_deref(), Some("open"), "of another");
}

#[tokio::test]
async fn the_end_of_a_client_is_told() {
    let (builder, mut events) = telling();
    let running = start(builder).await;
    drop(open(&running).await);
    assert_eq!(within(events.recv()).await.expect("open"), "open");
    let reason = within(events.recv()).await.expect("close");
    assert!(["TransportClose", "TransportError"].contains(&&*reason), "{reason}");
}

#[tokio::test]
async fn a_handler_that_panics_ends_nothing() {
    let running = start(echo()).await;
    let mut ws = open(&running).await;
    ws.text("4panic").await;
    ws.text("4still here").await;
    assert_eq!(ws.next_text().await, "4still here");
}

#[tokio::test]
async fn nobody_has_to_enter_a_namespace() {
    let limits = Limits { connect_timeout: Duration::from_millis(1), ..Limits::default() };
    let running = start(echo().limits(limits).ping_interval(Duration::from_millis(100))).await;
    let mut ws = open(&running).await;
    // Two heartbeats later.
    for _ in 0..2 {
        assert_eq!(ws.next_text().await, "2");
        ws.text("3").await;
    }
    ws.text("4hello").await;
    assert_eq!(ws.next_text().await, "4hello");
}

#[tokio::test]
async fn the_path_is_that_of_engine_io_unless_set() {
    let running = start(Server::builder().raw(|_| ())).await;
    let mut http = Http::open(running.address).await;
    assert_eq!(http.request("GET", "/engine.io/?EIO=4&transport=polling", "", b"").await.status, 200);
    assert_eq!(http.request("GET", &format!("{PATH}&transport=polling"), UPGRADE, b"").await.status, 404);
}

#[test]
#[should_panic = "raw messages have no namespaces"]
fn a_server_speaks_one_or_the_other() {
    Server::builder().raw(|_| ()).namespace("/", |_| ()).build();
}
