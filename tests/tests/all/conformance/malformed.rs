//! What is no packet: the session that sent it ends, the server and everybody else go on.

use super::{Bystander, server};
use encke_tests::engine::{Answer, Polling};
use encke_tests::frames::{Frames, frame, text};

/// Messages that end a session which has joined the main namespace.
const MALFORMED: &[(&str, &str)] = &[
    ("no packet type", ""),
    ("an unknown packet type", "9"),
    ("text that is no packet", "é🦀"),
    ("a second handshake", "0{}"),
    ("a ping, which only servers send", "2"),
    ("no Socket.IO packet", "4"),
    ("an unknown Socket.IO type", "47"),
    ("an event without arguments", "42"),
    ("an event that is no array", "42{}"),
    ("an event without a name", "42[]"),
    ("an event whose name is an object", "42[{}]"),
    ("a reserved name", r#"42["disconnect"]"#),
    ("JSON that ends early", r#"42["echo","#),
    ("JSON with something behind it", r#"42["echo"]x"#),
    ("a huge ack id", r#"4299999999999999999999["echo"]"#),
    ("an ack without id", "43[1]"),
    ("an attachment count without dash", r#"451["echo"]"#),
    ("too many attachments", r#"4599999-["echo"]"#),
    ("text where an attachment is due", "451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\u{1e}42[\"echo\"]"),
    ("an attachment that nobody announced", "bAQ=="),
    ("an event in a namespace never joined", r#"42/other,["echo"]"#),
    ("a second join", "40"),
    ("a refusal, which only servers send", r#"44{"message":"no"}"#),
    ("join data that is no object", "40/other,[]"),
];

#[tokio::test]
async fn a_polling_session_ends_at_what_is_no_packet() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    for (what, body) in MALFORMED {
        let session = Polling::join(server.url()).await;
        let answer = session.post(*body).await;
        assert!(answer == Answer::ok() || answer.status == 400, "{what}: {answer:?}");
        assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"), "{what}");
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn a_websocket_session_ends_at_what_is_no_packet() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    for (what, messages) in MALFORMED {
        let mut socket = Frames::join(server.address()).await;
        for message in messages.split('\u{1e}') {
            let bytes = if message.starts_with('b') { frame(0x82, &[1]) } else { text(message) };
            socket.write(&bytes).await;
        }
        assert!(socket.ended().await, "{what}");
    }
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn nesting_without_end_ends_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let mut socket = Frames::join(server.address()).await;
    socket.write(&text(&format!("42[\"echo\",{}", "[".repeat(500_000)))).await;
    assert!(socket.ended().await);
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn a_body_of_too_many_packets_ends_the_session() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    let body = vec!["6"; 100_000].join("\u{1e}");
    let answer = session.post(body).await;
    assert!(answer.status == 400 || answer == Answer::ok(), "{answer:?}");
    assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"));
}

#[tokio::test]
async fn a_body_that_is_no_text_ends_the_session() {
    let server = server().await;
    let bystander = Bystander::new(&server).await;
    let session = Polling::join(server.url()).await;
    assert_eq!(session.post(vec![0xff, 0xfe]).await, Answer::refusal(400, 3, "Bad request"));
    assert_eq!(session.poll().await, Answer::refusal(400, 1, "Session ID unknown"));
    bystander.is_undisturbed().await;
}

#[tokio::test]
async fn more_namespaces_than_allowed_end_the_session() {
    let server = server().await;
    let mut socket = Frames::join(server.address()).await;
    for i in 0..1_000 {
        socket.write(&text(&format!("40/n{i},"))).await;
    }
    assert!(socket.ended().await);
}

#[tokio::test]
async fn an_ack_that_nobody_awaits_is_harmless() {
    let server = server().await;
    let session = Polling::join(server.url()).await;
    assert_eq!(session.post("4312345[1]").await, Answer::ok());
    assert_eq!(session.post(r#"421["echo",1]"#).await, Answer::ok());
    assert_eq!(session.poll().await.body, "431[1]");
}
