//! XHR long-polling: handshake, waiting, limits, and requests that get in each other's way.

use super::{Bystander, server};
use crate::PEER;
use encke_tests::engine::{Answer, Polling, get, http};
use encke_tests::program::Program;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn the_handshake_holds_exactly_its_five_keys() {
    let server = server().await;
    let (_, handshake) = Polling::open_with_handshake(server.url()).await;
    let keys: Vec<_> = handshake.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
    assert_eq!(handshake["upgrades"], serde_json::json!(["websocket"]));
    assert_eq!(handshake["pingInterval"], 25_000);
    assert_eq!(handshake["pingTimeout"], 20_000);
    assert_eq!(handshake["maxPayload"], 1_000_000);
}

#[tokio::test]
async fn answers_are_text_and_not_to_be_stored() {
    let server = server().await;
    let session = Polling::open(server.url()).await;
    assert_eq!(session.post("40").await, Answer::ok());
    let response = http().get(session.url()).send().await.expect("the poll is answered");
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    assert_eq!(header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn a_poll_waits_for_a_packet() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let poll = session.start_poll();
    assert_eq!(session.post(r#"427["echo","later"]"#).await, Answer::ok());
    assert_eq!(poll.await.expect("the poll ends").body, r#"437["later"]"#);
}

#[tokio::test]
async fn a_poll_holds_at_most_sixteen_packets_in_order() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let packet = |i: usize| format!("42{i}[\"echo\",{i}]");
    for batch in (0..40).collect::<Vec<_>>().chunks(16) {
        let body = batch.iter().map(|i| packet(*i)).collect::<Vec<_>>().join("\u{1e}");
        assert_eq!(session.post(body).await, Answer::ok());
    }
    let mut received = Vec::new();
    while received.len() < 40 {
        let answer = session.poll().await;
        let packets: Vec<_> = answer.body.split('\u{1e}').map(str::to_owned).collect();
        assert!(packets.len() <= 16, "{} packets in one payload", packets.len());
        received.extend(packets);
    }
    assert_eq!(received, (0..40).map(|i| format!("43{i}[{i}]")).collect::<Vec<_>>());
}

#[tokio::test]
async fn two_polls_at_once_end_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let session = Polling::join(server.url()).await;
    let first = session.start_poll();
    let second = session.start_poll();
    let mut statuses = [first.await.expect("it ends").status, second.await.expect("it ends").status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "one waits and is released, the other is refused");
    assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"));
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn two_posts_at_once_end_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let session = Polling::join(server.url()).await;
    let (sender, body) = tokio::sync::mpsc::channel::<Result<String, std::io::Error>>(1);
    let unfinished = {
        let session = session.clone();
        let stream = tokio_stream::wrappers::ReceiverStream::new(body);
        tokio::spawn(async move { session.post(reqwest::Body::wrap_stream(stream)).await })
    };
    sender.send(Ok("421[\"echo\"".to_owned())).await.expect("the request is under way");
    // Until the server has seen the head of the first, the second is an ordinary one.
    let refused = loop {
        let answer = session.post("6").await;
        if answer != Answer::ok() {
            break answer;
        }
    };
    assert_eq!(refused, Answer::refusal(400, 3, "Bad request"));
    drop(sender);
    let _ = unfinished.await;
    // Over a connection of its own: that of the unfinished request may be about to close.
    let query = format!("EIO=4&transport=polling&sid={}", session.sid);
    assert_eq!(get(server.url(), &query).await, Answer::refusal(400, 1, "Session ID unknown"));
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_without_a_body() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let session = Polling::join(server.url()).await;
    let body = format!("42[\"echo\",\"{}\"]", "x".repeat(1_000_000));
    assert_eq!(session.post(body).await, Answer { status: 413, body: String::new() });
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let around = "420[\"echo\",\"\"]".len();
    let text = "x".repeat(1_000_000 - around);
    assert_eq!(session.post(format!("420[\"echo\",\"{text}\"]")).await, Answer::ok());
    assert_eq!(session.poll_for(|packet| packet.starts_with("430")).await, format!("430[\"{text}\"]"));
}

/// As in the reference server: what its answer carried may be lost with it, so the session must not seem whole.
#[tokio::test]
async fn a_poll_that_breaks_off_ends_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let session = Polling::join(server.url()).await;
    // Its own connection, cut behind the request.
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    let path = session.url();
    let path = path.trim_start_matches(server.url());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address());
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    drop(stream);
    while session.post("6").await == Answer::ok() {}
    assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"));
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn heartbeats_keep_a_session_and_their_absence_ends_it() {
    let args = ["--listen", "127.0.0.1:0", "--ping-interval", "200", "--ping-timeout", "3000"];
    let server = Program::start(PEER, &args).await;
    let session = Polling::join(server.url()).await;
    for _ in 0..3 {
        assert_eq!(session.poll().await.body, "2");
        assert_eq!(session.post("3").await, Answer::ok());
    }
    assert_eq!(session.poll().await.body, "2");
    // No pong: the waiting poll is released, and the session is gone.
    assert_eq!(session.poll().await.status, 200);
    assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"));
}

#[tokio::test]
async fn binary_travels_as_base64() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let event = r#"451-3["echo",{"_placeholder":true,"num":0}]"#;
    assert_eq!(session.post(format!("{event}\u{1e}bAQIDBA==")).await, Answer::ok());
    let answer = session.poll().await;
    assert_eq!(answer.body, "461-3[{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA==");
}

#[tokio::test]
async fn a_session_that_joins_nothing_is_not_kept_waiting_by_others() {
    let server = server().await;
    let _silent = Polling::open(server.url()).await;
    let busy = Polling::join(server.url()).await;
    assert_eq!(busy.post(r#"421["echo",true]"#).await, Answer::ok());
    assert_eq!(busy.poll().await.body, "431[true]");
}

#[tokio::test]
async fn a_head_request_is_answered_like_no_session_request() {
    let server = server().await;
    let url = format!("{}/socket.io/?EIO=4&transport=polling", server.url());
    let response = http().head(url).send().await.expect("the server answers");
    assert_eq!(response.status().as_u16(), 400);
    assert_eq!(get(server.url(), "EIO=4&transport=polling").await.status, 200);
}
