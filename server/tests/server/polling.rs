//! Long-polling: GET waits, POST feeds.

use crate::echo;
use crate::support::{Http, PATH, Polling, Ws, start, within};
use encke_server::{CloseReason, DisconnectReason, Listener, Server};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

#[tokio::test]
async fn the_handshake_says_exactly_what_the_protocol_says() {
    let running = start(echo()).await;
    let response =
        Http::open(running.address).await.request("GET", &format!("{PATH}&transport=polling"), "", b"").await;
    assert_eq!(response.header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    let json: serde_json::Value = serde_json::from_str(&response.body[1..]).expect("JSON");
    let object = json.as_object().expect("an object");
    assert_eq!(object.len(), 5);
    assert_eq!(object["upgrades"], serde_json::json!(["websocket"]));
    assert_eq!(object["pingInterval"], 25_000);
    assert_eq!(object["pingTimeout"], 20_000);
    assert_eq!(object["maxPayload"], 1_000_000);
}

#[tokio::test]
async fn a_poll_waits_for_something_to_say() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    // Answered only by what comes after it.
    assert_eq!(client.post(r#"420["echo","🦀\u001e"]"#).await.body, "ok");
    assert_eq!(client.polls.receive().await.body, r#"430["🦀\u001e"]"#);
}

#[tokio::test]
async fn packets_of_one_post_are_answered_in_order_sixteen_at_a_time() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let events: Vec<String> = (0..40).map(|id| format!(r#"42{id}["echo",{id}]"#)).collect();
    client.post(&events.join("\u{1e}")).await;
    let mut acks = Vec::new();
    for expected in [16, 16, 8] {
        let payload = client.poll().await;
        let packets: Vec<String> = payload.split('\u{1e}').map(str::to_owned).collect();
        assert_eq!(packets.len(), expected);
        acks.extend(packets);
    }
    assert_eq!(acks, (0..40).map(|id| format!("43{id}[{id}]")).collect::<Vec<_>>());
}

#[tokio::test]
async fn bytes_travel_as_base64() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let event = r#"451-3["echo",{"_placeholder":true,"num":0}]"#;
    client.post(&format!("{event}\u{1e}bAQID")).await;
    assert_eq!(client.poll().await, "461-3[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQID");
}

fn tells_disconnects() -> (encke_server::ServerBuilder, mpsc::UnboundedReceiver<DisconnectReason>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/", |on| {
        on.on_disconnect(move |_socket, reason| sender.send(reason).expect("the test listens"));
    });
    (builder, receiver)
}

#[tokio::test]
async fn two_polls_at_once_end_the_session() {
    let (builder, mut disconnects) = tells_disconnects();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    let mut waiting = Http::open(running.address).await;
    waiting.send("GET", &client.target(), "", b"").await;
    // The first one waits by now, or is the second one itself: one is refused, and both are answered.
    let target = client.target();
    let other = client.polls.request("GET", &target, "", b"").await;
    let mut statuses = [waiting.receive().await.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(
        within(disconnects.recv()).await,
        Some(DisconnectReason::Session(CloseReason::TransportError))
    );
    assert_eq!(client.post("42[\"x\"]").await.body, r#"{"code":1,"message":"Session ID unknown"}"#);
}

#[tokio::test]
async fn a_goodbye_of_the_client_releases_its_poll_with_nothing() {
    let (builder, mut disconnects) = tells_disconnects();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    // The server comes to the poll before the goodbye.
    for _ in 0..10 {
        assert_eq!(client.post("6").await.body, "ok");
    }
    assert_eq!(client.post("1").await.body, "ok");
    assert_eq!(client.polls.receive().await.body, "6");
    assert_eq!(
        within(disconnects.recv()).await,
        Some(DisconnectReason::Session(CloseReason::TransportClose))
    );
}

#[tokio::test]
async fn two_posts_at_once_end_the_session() {
    let (builder, mut disconnects) = tells_disconnects();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    let mut slow = Http::open(running.address).await;
    let head = format!("POST {} HTTP/1.1\r\nHost: server\r\nContent-Length: 10\r\n\r\n42[", client.target());
    tokio::io::AsyncWriteExt::write_all(&mut slow.0, head.as_bytes()).await.expect("written");
    // Until the server has seen the head of the slow one, this one is alone and is answered "ok".
    let refused = loop {
        let response = client.post("3").await;
        if response.status != 200 {
            break response;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(refused.body, r#"{"code":3,"message":"Bad request"}"#);
    assert_eq!(
        within(disconnects.recv()).await,
        Some(DisconnectReason::Session(CloseReason::TransportError))
    );
}

#[tokio::test]
async fn a_poll_whose_connection_breaks_off_ends_the_session() {
    let (builder, mut disconnects) = tells_disconnects();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    // A request that breaks off before the server has begun with it never was one: let the server come to it.
    for _ in 0..10 {
        assert_eq!(client.post("3").await.body, "ok");
    }
    drop(client.polls);
    assert_eq!(
        within(disconnects.recv()).await,
        Some(DisconnectReason::Session(CloseReason::TransportError))
    );
}

#[tokio::test]
async fn a_post_that_is_no_payload_ends_the_session() {
    for body in [&b""[..], b"9", b"4\xFF", b"b!", b"42[", b"40/nope\x1e42/other,[\"x\"]"] {
        let (builder, mut disconnects) = tells_disconnects();
        let running = start(builder).await;
        let mut client = Polling::join(running.address).await;
        let target = client.target();
        let response = client.posts.request("POST", &target, "", body).await;
        assert_eq!(
            (response.status, response.body.as_str()),
            (400, r#"{"code":3,"message":"Bad request"}"#),
            "{body:?}"
        );
        assert_eq!(
            within(disconnects.recv()).await,
            Some(DisconnectReason::Session(CloseReason::ParseError))
        );
    }
}

#[tokio::test]
async fn another_content_type_is_refused_and_the_session_goes_on() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    let response =
        client.posts.request("POST", &target, "Content-Type: application/octet-stream\r\n", b"\x01").await;
    assert_eq!((response.status, response.body.as_str()), (400, r#"{"code":3,"message":"Bad request"}"#));
    client.post(r#"421["echo",1]"#).await;
    assert_eq!(client.poll().await, "431[1]");
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_answered_and_gone() {
    let (builder, mut disconnects) = tells_disconnects();
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    assert_eq!(client.post("41\u{1e}1").await.body, "ok");
    assert_eq!(within(disconnects.recv()).await, Some(DisconnectReason::ByClient));
    assert_eq!(client.post("3").await.status, 400);
}

#[tokio::test]
async fn a_heartbeat_comes_after_the_interval_and_must_be_answered() {
    let (builder, mut disconnects) = tells_disconnects();
    let builder = builder.ping_interval(Duration::from_millis(100)).ping_timeout(Duration::from_secs(1));
    let running = start(builder).await;
    let mut client = Polling::join(running.address).await;
    for _ in 0..3 {
        assert_eq!(client.poll().await, "2");
        assert_eq!(client.post("3").await.body, "ok");
    }
    assert_eq!(client.poll().await, "2");
    assert_eq!(within(disconnects.recv()).await, Some(DisconnectReason::Session(CloseReason::PingTimeout)));
    assert_eq!(client.post("3").await.body, r#"{"code":1,"message":"Session ID unknown"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_breaks_off_right_behind_its_request_ends_the_session() {
    let server = echo().build();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = server.router();
    tokio::spawn(async move { axum::serve(Listener::from(listener), router).await });
    // It depends on how much of the end is seen at once.
    for _ in 0..100 {
        let mut client = Polling::join(address).await;
        let mut cut = Http::open(address).await;
        cut.send("GET", &client.target(), "", b"").await;
        drop(cut);
        let ended = async { while client.post("3").await.body == "ok" {} };
        within(ended).await;
    }
    let mut other = Ws::join(address).await;
    other.text(r#"421["echo",1]"#).await;
    assert_eq!(other.next_text().await, "431[1]");
}

#[tokio::test]
async fn no_half_post_outlives_a_session_that_waits_to_say_goodbye() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on_named("end", |socket, _args, _ack| socket.close());
    }))
    .await;
    let mut client = Polling::join(running.address).await;
    assert_eq!(client.post(r#"42["end"]"#).await.body, "ok");
    let head = format!("POST {} HTTP/1.1\r\nHost: server\r\nContent-Length: 100\r\n\r\n4", client.target());
    let half = async || {
        let mut half = Http::open(running.address).await;
        tokio::io::AsyncWriteExt::write_all(&mut half.0, head.as_bytes()).await.expect("written");
        // One is refused since there is another, that one when its session is given up.
        half.receive().await.status
    };
    assert_eq!(tokio::join!(half(), half(), half()), (400, 400, 400));
}

#[tokio::test]
async fn a_post_whose_body_never_ends_does_not_outlive_its_session() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let mut endless = Http::open(running.address).await;
    let head = format!("POST {} HTTP/1.1\r\nHost: server\r\nContent-Length: 100\r\n\r\n4", client.target());
    tokio::io::AsyncWriteExt::write_all(&mut endless.0, head.as_bytes()).await.expect("written");
    // A second post ends the session as soon as the first is known.
    let ended = async { while client.post("3").await.body == "ok" {} };
    within(ended).await;
    assert_eq!(endless.receive().await.status, 400);
}
