//! Acks that the server waits for always end.

use crate::support::{Polling, Ws, masked, start, within};
use encke_server::contract::{BothWays, Event};
use encke_server::{AckError, Server, Socket};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(60);

/// Hands out every socket that enters.
fn sockets() -> (encke_server::ServerBuilder, mpsc::UnboundedReceiver<Socket>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    });
    (builder, receiver)
}

#[tokio::test]
async fn an_answer_ends_the_wait() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let first = socket.timeout(LONG).emit_named_with_ack("ask", &("a", 1));
    let second = socket.timeout(LONG).emit_named_with_ack("ask", &());
    assert_eq!(client.next_text().await, r#"420["ask","a",1]"#);
    assert_eq!(client.next_text().await, r#"421["ask"]"#);
    client.text(r#"431["two"]"#).await;
    client.text(r#"437["nobody asked"]"#).await;
    client
        .raw(&[masked(0x81, br#"461-0[{"_placeholder":true,"num":0}]"#), masked(0x82, &[7])].concat())
        .await;
    assert_eq!(
        within(second).await.expect("an answer").decode::<(String,)>().expect("text"),
        ("two".to_owned(),)
    );
    assert_eq!(within(first).await.expect("an answer").attachments(), [[7]]);
}

#[tokio::test]
async fn nobody_answers_for_another() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let (mut asked, mut other) = (Ws::join(running.address).await, Ws::join(running.address).await);
    let socket = within(sockets.recv()).await.expect("a socket");
    let answer = socket.timeout(LONG).emit_named_with_ack("ask", &());
    assert_eq!(asked.next_text().await, r#"420["ask"]"#);
    other.text(r#"430["not asked"]"#).await;
    other.settle().await;
    asked.text(r#"430["asked"]"#).await;
    let (text,): (String,) = within(answer).await.expect("an answer").decode().expect("text");
    assert_eq!(text, "asked");
}

#[tokio::test]
async fn an_answer_to_an_earlier_socket_is_not_taken_for_one_to_the_next() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let before = within(sockets.recv()).await.expect("a socket");
    let lost = before.timeout(LONG).emit_named_with_ack("first", &());
    assert_eq!(client.next_text().await, r#"420["first"]"#);
    client.text("41").await;
    assert!(matches!(within(lost).await, Err(AckError::Disconnected)));
    client.text("40").await;
    assert!(client.next_text().await.starts_with("40"));
    let now = within(sockets.recv()).await.expect("a socket");
    let answer = now.timeout(LONG).emit_named_with_ack("second", &());
    assert_eq!(client.next_text().await, r#"421["second"]"#);
    client.text(r#"430["to the first"]"#).await;
    client.text(r#"431["to the second"]"#).await;
    let (text,): (String,) = within(answer).await.expect("an answer").decode().expect("text");
    assert_eq!(text, "to the second");
}

#[tokio::test]
async fn silence_ends_the_wait_and_a_late_answer_is_harmless() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let answer = within(socket.timeout(Duration::from_millis(10)).emit_named_with_ack("ask", &())).await;
    assert!(matches!(answer, Err(AckError::Timeout)), "{answer:?}");
    assert_eq!(client.next_text().await, r#"420["ask"]"#);
    client.text("430[]").await;
    client.settle().await;
    assert!(socket.is_connected());
}

#[tokio::test]
async fn the_server_says_how_long_a_wait_is_and_an_emit_may_say_otherwise() {
    let (builder, mut sockets) = sockets();
    let running = start(builder.ack_timeout(Duration::from_millis(10))).await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let long = socket.timeout(LONG).emit_named_with_ack("ask", &());
    assert!(matches!(within(socket.emit_named_with_ack("ask", &())).await, Err(AckError::Timeout)));
    assert!(matches!(within(socket.emit_with_ack(&Find)).await, Err(AckError::Timeout)));
    client.text("430[]").await;
    within(long).await.expect("an answer");
    let endless = socket.timeout(Duration::MAX).emit_named_with_ack("ask", &());
    client.text("433[]").await;
    within(endless).await.expect("an answer");
}

#[tokio::test]
async fn a_thread_without_runtime_may_ask() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || sender.send(socket.emit_named_with_ack("ask", &())));
    let answer = within(answer).await.expect("no panic");
    assert_eq!(client.next_text().await, r#"420["ask"]"#);
    client.text("430[]").await;
    within(answer).await.expect("an answer");
}

#[tokio::test]
async fn leaving_ends_the_wait() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let answer = socket.timeout(LONG).emit_named_with_ack("ask", &());
    client.post("41").await;
    let answer = within(answer).await;
    assert!(matches!(answer, Err(AckError::Disconnected)), "{answer:?}");
    let answer = within(socket.timeout(LONG).emit_named_with_ack("ask", &())).await;
    assert!(matches!(answer, Err(AckError::Disconnected)), "{answer:?}");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Add(u32, u32);

impl Event for Add {
    const NAME: &'static str = "add";
    type Direction = BothWays;
    type Ack = u32;
    type Error = String;
}

#[tokio::test]
async fn a_typed_event_has_a_typed_ack_both_ways() {
    let (builder, mut sockets) = sockets();
    let running = start(builder.namespace("/", |on| {
        on.on(|_socket, Add(a, b)| a.checked_add(b).ok_or_else(|| "too much".to_owned()));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    for (event, ack) in [("[1,2]", "[3]"), ("[1,4294967295]", r#"[{"error":"too much"}]"#), (r#""x""#, "[]")]
    {
        client.text(&format!(r#"425["add",{event}]"#)).await;
        assert_eq!(client.next_text().await, format!("435{ack}"));
    }
    let socket = within(sockets.recv()).await.expect("a socket");
    let ask = async |reply: &'static str| {
        let socket = socket.clone();
        let answer = tokio::spawn(async move { socket.emit_with_ack(&Add(1, 2)).await });
        (answer, reply)
    };
    for (id, reply) in ["[3]", r#"[{"error":"no"}]"#, r#"["x"]"#, "[]"].into_iter().enumerate() {
        let (answer, reply) = ask(reply).await;
        assert_eq!(client.next_text().await, format!(r#"42{id}["add",[1,2]]"#));
        client.text(&format!("43{id}{reply}")).await;
        let answer = within(answer).await.expect("no panic");
        match id {
            0 => assert!(matches!(answer, Ok(3)), "{answer:?}"),
            1 => assert!(matches!(&answer, Err(AckError::Refused(error)) if error == "no"), "{answer:?}"),
            _ => assert!(matches!(answer, Err(AckError::Malformed)), "{answer:?}"),
        }
    }
}

#[tokio::test]
async fn a_handler_may_wait_for_an_answer_of_its_own_client() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on_named_async("start", |socket, _args, ack| async move {
            let answer = socket.timeout(LONG).emit_named_with_ack("ask", &()).await.expect("an answer");
            ack.send(&answer).expect("as it came");
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"429["start"]"#).await;
    assert_eq!(client.next_text().await, r#"420["ask"]"#);
    client.text("430[42]").await;
    assert_eq!(client.next_text().await, "439[42]");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Find;

impl Event for Find {
    const NAME: &'static str = "find";
    type Direction = BothWays;
    type Ack = Option<u32>;
    type Error = String;
}

#[tokio::test]
async fn an_answer_without_argument_is_no_answer_to_a_typed_event() {
    let (builder, mut sockets) = sockets();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    for (reply, none) in [("[null]", true), ("[]", false)] {
        let socket = socket.clone();
        let answer = tokio::spawn(async move { socket.emit_with_ack(&Find).await });
        let asked = client.next_text().await;
        let id = asked.strip_prefix("42").and_then(|rest| rest.split('[').next()).expect("an id");
        client.text(&format!("43{id}{reply}")).await;
        match within(answer).await.expect("no panic") {
            Ok(None) => assert!(none, "{reply}"),
            Err(AckError::Malformed) => assert!(!none, "{reply}"),
            other => panic!("{reply}: {other:?}"),
        }
    }
}
