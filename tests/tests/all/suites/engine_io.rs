//! Engine.IO protocol v4: the suite in the folder `engine.io-protocol/v4-test-suite` of socketio/socket.io, before in
//! socketio/engine.io-protocol. 24 cases, and one that was added in 2026: that of a poll that is given up.
//!
//! | of the suite | cases | here |
//! |---|---|---|
//! | handshake, long-polling | session; `EIO`; `transport`; method | `polling_opens_a_session`, `polling_needs_the_right_protocol`, `polling_needs_a_transport`, `polling_needs_the_right_method` |
//! | handshake, WebSocket | session; `EIO`; `transport` | `a_websocket_opens_a_session`, `a_websocket_needs_the_right_protocol`, `a_websocket_needs_a_transport` |
//! | message, long-polling | a text; several; with binary; no packet; two polls; a poll given up | `one_text_is_polled`, `several_texts_are_polled`, `text_and_binary_are_polled`, `what_is_no_packet_ends_polling`, `two_polls_end_the_session`, `a_poll_that_is_given_up_ends_the_session` |
//! | message, WebSocket | a text; binary; no packet | `a_websocket_carries_text`, `a_websocket_carries_binary`, `what_is_no_packet_ends_a_websocket` |
//! | heartbeat, long-polling | ping and pong; none | `polling_has_a_heartbeat`, `who_polls_and_has_no_heartbeat_is_gone` |
//! | heartbeat, WebSocket | ping and pong; none | `a_websocket_has_a_heartbeat`, `a_websocket_without_heartbeat_is_closed` |
//! | close | long-polling; WebSocket | `a_goodbye_ends_polling`, `a_goodbye_ends_a_websocket` |
//! | upgrade | done; polling after it; a second WebSocket | `polling_changes_to_a_websocket`, `there_is_no_polling_after_the_change`, `there_is_no_second_websocket_after_the_change` |

use super::engine::ends;
use super::{Suite, engine, example};
use encke_tests::engine::Answer;
use encke_tests::frames::{frame, text};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

async fn suite() -> Suite {
    Suite::start(example::messages(), "/engine.io/").await
}

super::cases_of_both!();

#[tokio::test]
async fn one_text_is_polled() {
    echoes_over_polling("4hello").await;
}

#[tokio::test]
async fn several_texts_are_polled() {
    echoes_over_polling("4test1\u{1e}4test2\u{1e}4test3").await;
}

#[tokio::test]
async fn text_and_binary_are_polled() {
    echoes_over_polling("4hello\u{1e}bAQIDBA==").await;
}

async fn echoes_over_polling(payload: &'static str) {
    let session = suite().await.polling().await;
    assert_eq!(session.post(payload).await, Answer::ok());
    assert_eq!(session.poll().await, Answer { status: 200, body: payload.to_owned() });
}

#[tokio::test]
async fn what_is_no_packet_ends_polling() {
    let session = suite().await.polling().await;
    assert_eq!(session.post("abc").await.status, 400);
    assert_eq!(session.poll().await.status, 400);
}

#[tokio::test]
async fn two_polls_end_the_session() {
    let session = suite().await.polling().await;
    let (one, other) = tokio::join!(session.poll(), session.poll());
    let (told, refused) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!(told, Answer { status: 200, body: "1".to_owned() });
    assert_eq!(refused.status, 400);
    assert_eq!(session.poll().await.status, 400);
}

#[tokio::test]
async fn a_poll_that_is_given_up_ends_the_session() {
    let suite = suite().await;
    let session = suite.polling().await;
    let target = suite.target(&format!("EIO=4&transport=polling&sid={}", session.sid));
    let mut poll = TcpStream::connect(&suite.address).await.expect("the server listens");
    let request = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", suite.address);
    poll.write_all(request.as_bytes()).await.expect("the server reads");
    drop(poll);
    // Not by another poll, which would be the second one; and with a heartbeat, whose lack would end it too.
    ends(async || session.post("3").await).await;
}

#[tokio::test]
async fn a_websocket_carries_text() {
    let mut socket = suite().await.websocket().await;
    socket.write(&text("4hello")).await;
    assert_eq!(socket.read().await.text(), "4hello");
}

#[tokio::test]
async fn a_websocket_carries_binary() {
    let mut socket = suite().await.websocket().await;
    socket.write(&frame(0x82, &[1, 2, 3, 4])).await;
    let back = socket.read().await;
    assert_eq!((back.head, &back.payload[..]), (0x82, &[1, 2, 3, 4][..]));
}

#[tokio::test]
async fn what_is_no_packet_ends_a_websocket() {
    let mut socket = suite().await.websocket().await;
    socket.write(&text("abc")).await;
    assert!(socket.ended().await);
}
