//! Socket.IO protocol v5: the suite in the folder `socket.io-protocol/v5-test-suite` of socketio/socket.io, before in
//! socketio/socket.io-protocol. 32 cases; the first 16 are those of [`super::engine_io`] without messages.
//!
//! | of the suite | cases | here |
//! |---|---|---|
//! | handshake, heartbeat, close, upgrade of Engine.IO | 7, 4, 2, 3 | as in [`super::engine_io`] |
//! | connect, main namespace | without and with a payload | `the_main_namespace_lets_in`, `the_main_namespace_hears_the_payload` |
//! | connect, another namespace | without and with a payload; an unknown one | `another_namespace_lets_in`, `another_namespace_hears_the_payload`, `an_unknown_namespace_lets_nobody_in` |
//! | connect, wrong | no packet; nothing at all | `what_is_no_packet_gets_nobody_in`, `who_enters_nowhere_is_closed` |
//! | disconnect | main namespace; another one | `who_leaves_the_main_namespace_stays_connected`, `who_leaves_another_namespace_stays_in_the_main_one` |
//! | message | JSON; binary; JSON with ack; binary with ack | `an_event_comes_back`, `binary_comes_back`, `an_event_is_acknowledged`, `binary_is_acknowledged` |
//! | message, wrong | packet type; payload; ack id | `an_unknown_packet_type_closes`, `a_payload_that_is_no_list_closes`, `an_ack_id_that_is_no_number_closes` |

use super::{Suite, engine, example};
use encke_tests::frames::{Frames, frame, text};
use serde_json::Value;

async fn suite() -> Suite {
    Suite::start(example::events(), "/socket.io/").await
}

super::cases_of_both!();

/// The next packet that is not a heartbeat, which is answered.
async fn next(socket: &mut Frames) -> String {
    loop {
        let frame = socket.read().await;
        if frame.text() != "2" {
            return frame.text().to_owned();
        }
        socket.write(&text("3")).await;
    }
}

/// Asks to enter and is let in; what the server says then.
async fn enter(socket: &mut Frames, packet: &str, prefix: &str) -> String {
    socket.write(&text(packet)).await;
    let answer = next(socket).await;
    let data: Value = serde_json::from_str(answer.strip_prefix(prefix).expect("let in")).expect("JSON");
    let data = data.as_object().expect("an object");
    assert!(data.len() == 1 && data["sid"].is_string(), "{data:?}");
    next(socket).await
}

/// In the main namespace.
async fn joined() -> Frames {
    let mut socket = suite().await.websocket().await;
    enter(&mut socket, "40", "40").await;
    socket
}

#[tokio::test]
async fn the_main_namespace_lets_in() {
    let mut socket = suite().await.websocket().await;
    assert_eq!(enter(&mut socket, "40", "40").await, r#"42["auth",{}]"#);
}

#[tokio::test]
async fn the_main_namespace_hears_the_payload() {
    let mut socket = suite().await.websocket().await;
    let heard = enter(&mut socket, r#"40{"token":"123"}"#, "40").await;
    assert_eq!(heard, r#"42["auth",{"token":"123"}]"#);
}

#[tokio::test]
async fn another_namespace_lets_in() {
    let mut socket = suite().await.websocket().await;
    assert_eq!(enter(&mut socket, "40/custom,", "40/custom,").await, r#"42/custom,["auth",{}]"#);
}

#[tokio::test]
async fn another_namespace_hears_the_payload() {
    let mut socket = suite().await.websocket().await;
    let heard = enter(&mut socket, r#"40/custom,{"token":"abc"}"#, "40/custom,").await;
    assert_eq!(heard, r#"42/custom,["auth",{"token":"abc"}]"#);
}

#[tokio::test]
async fn an_unknown_namespace_lets_nobody_in() {
    let mut socket = suite().await.websocket().await;
    socket.write(&text("40/random")).await;
    assert_eq!(next(&mut socket).await, r#"44/random,{"message":"Invalid namespace"}"#);
}

#[tokio::test]
async fn what_is_no_packet_gets_nobody_in() {
    let mut socket = suite().await.websocket().await;
    socket.write(&text("4abc")).await;
    assert!(socket.ended().await);
}

#[tokio::test]
async fn who_enters_nowhere_is_closed() {
    let mut socket = suite().await.websocket().await;
    loop {
        let frame = socket.read().await;
        if frame.close_code().is_some() {
            break;
        }
        assert_eq!(frame.text(), "2");
        // With a heartbeat: it is not that which is missed.
        socket.write(&text("3")).await;
    }
}

#[tokio::test]
async fn who_leaves_the_main_namespace_stays_connected() {
    let mut socket = joined().await;
    socket.write(&text("41")).await;
    assert_eq!(socket.read().await.text(), "2");
}

#[tokio::test]
async fn who_leaves_another_namespace_stays_in_the_main_one() {
    let mut socket = joined().await;
    assert_eq!(socket.read().await.text(), "2");
    socket.write(&text("3")).await;
    enter(&mut socket, "40/custom", "40/custom,").await;
    socket.write(&text("41/custom")).await;
    socket.write(&text(r#"42["message","message to main namespace"]"#)).await;
    assert_eq!(next(&mut socket).await, r#"42["message-back","message to main namespace"]"#);
}

#[tokio::test]
async fn an_event_comes_back() {
    let mut socket = joined().await;
    socket.write(&text(r#"42["message",1,"2",{"3":[true]}]"#)).await;
    assert_eq!(next(&mut socket).await, r#"42["message-back",1,"2",{"3":[true]}]"#);
}

#[tokio::test]
async fn an_event_is_acknowledged() {
    let mut socket = joined().await;
    socket.write(&text(r#"42456["message-with-ack",1,"2",{"3":[false]}]"#)).await;
    assert_eq!(next(&mut socket).await, r#"43456[1,"2",{"3":[false]}]"#);
}

#[tokio::test]
async fn binary_comes_back() {
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let (packet, answer) =
        (format!(r#"452-["message",{placeholders}]"#), format!(r#"452-["message-back",{placeholders}]"#));
    answers_with_attachments(&packet, &answer).await;
}

#[tokio::test]
async fn binary_is_acknowledged() {
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let (packet, answer) =
        (format!(r#"452-789["message-with-ack",{placeholders}]"#), format!("462-789[{placeholders}]"));
    answers_with_attachments(&packet, &answer).await;
}

async fn answers_with_attachments(packet: &str, answer: &str) {
    let mut socket = joined().await;
    let attachments = [[1, 2, 3], [4, 5, 6]];
    socket.write(&text(packet)).await;
    for attachment in attachments {
        socket.write(&frame(0x82, &attachment)).await;
    }
    assert_eq!(next(&mut socket).await, answer);
    for attachment in attachments {
        let back = socket.read().await;
        assert_eq!((back.head, &back.payload[..]), (0x82, &attachment[..]));
    }
}

#[tokio::test]
async fn an_unknown_packet_type_closes() {
    closes_upon("4abc").await;
}

#[tokio::test]
async fn a_payload_that_is_no_list_closes() {
    closes_upon("42{}").await;
}

#[tokio::test]
async fn an_ack_id_that_is_no_number_closes() {
    closes_upon(r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#).await;
}

async fn closes_upon(packet: &str) {
    let mut socket = joined().await;
    socket.write(&text(packet)).await;
    assert!(socket.ended().await);
}
