//! The cases of Engine.IO that both suites have.

use super::Suite;
use encke_tests::engine::{Answer, Polling};
use encke_tests::frames::{Frames, text};
use encke_tests::program::GUARD;
use reqwest::Method;
use serde_json::{Value, json};

fn has_what_was_set(handshake: &Value, upgrades: &Value) {
    let handshake = handshake.as_object().expect("an object");
    let keys: Vec<_> = handshake.keys().map(String::as_str).collect();
    assert_eq!(keys, ["maxPayload", "pingInterval", "pingTimeout", "sid", "upgrades"]);
    assert!(handshake["sid"].is_string());
    assert_eq!(handshake["upgrades"], *upgrades);
    assert_eq!(handshake["pingInterval"], 300);
    assert_eq!(handshake["pingTimeout"], 200);
    assert_eq!(handshake["maxPayload"], 1_000_000);
}

pub async fn polling_opens_a_session(suite: Suite) {
    let (_, handshake) = suite.polling_with_handshake().await;
    has_what_was_set(&handshake, &json!(["websocket"]));
}

pub async fn polling_needs_the_right_protocol(suite: Suite) {
    for query in ["transport=polling", "EIO=abc&transport=polling"] {
        assert_eq!(suite.request(Method::GET, query).await.status, 400, "{query}");
    }
}

pub async fn polling_needs_a_transport(suite: Suite) {
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        assert_eq!(suite.request(Method::GET, query).await.status, 400, "{query}");
    }
}

pub async fn polling_needs_the_right_method(suite: Suite) {
    for method in [Method::POST, Method::PUT] {
        assert_eq!(suite.request(method, "EIO=4&transport=polling").await.status, 400);
    }
}

pub async fn a_websocket_opens_a_session(suite: Suite) {
    let (_socket, handshake) = suite.websocket_with_handshake().await;
    has_what_was_set(&handshake, &json!([]));
}

pub async fn a_websocket_needs_the_right_protocol(suite: Suite) {
    for query in ["transport=websocket", "EIO=abc&transport=websocket"] {
        assert!(suite.try_websocket(query).await.is_none(), "{query}");
    }
}

pub async fn a_websocket_needs_a_transport(suite: Suite) {
    for query in ["EIO=4", "EIO=4&transport=abc"] {
        assert!(suite.try_websocket(query).await.is_none(), "{query}");
    }
}

pub async fn polling_has_a_heartbeat(suite: Suite) {
    let session = suite.polling().await;
    for _ in 0..3 {
        assert_eq!(session.poll().await, Answer { status: 200, body: "2".to_owned() });
        assert_eq!(session.post("3").await.status, 200);
    }
}

pub async fn who_polls_and_has_no_heartbeat_is_gone(suite: Suite) {
    let session = suite.polling().await;
    assert_eq!(session.poll().await.body, "2");
    // One more may still be told the end.
    ends(async || session.poll().await).await;
}

/// Asks until the session is over.
pub async fn ends(ask: impl AsyncFn() -> Answer) {
    let over = async { while ask().await.status != 400 {} };
    tokio::time::timeout(GUARD, over).await.expect("the session ends");
}

pub async fn a_websocket_has_a_heartbeat(suite: Suite) {
    let mut socket = suite.websocket().await;
    for _ in 0..3 {
        assert_eq!(socket.read().await.text(), "2");
        socket.write(&text("3")).await;
    }
}

pub async fn a_websocket_without_heartbeat_is_closed(suite: Suite) {
    assert!(suite.websocket().await.ended().await);
}

pub async fn a_goodbye_ends_polling(suite: Suite) {
    // Which of two requests comes first is chance: again until it is the poll.
    let first = async {
        loop {
            let session = suite.polling().await;
            let (poll, _) = tokio::join!(session.poll(), session.post("1"));
            assert_eq!(session.poll().await.status, 400);
            if poll.status == 200 {
                return poll.body;
            }
        }
    };
    assert_eq!(tokio::time::timeout(GUARD, first).await.expect("the poll comes first"), "6");
}

pub async fn a_goodbye_ends_a_websocket(suite: Suite) {
    let mut socket = suite.websocket().await;
    socket.write(&text("1")).await;
    assert!(socket.ended().await);
}

async fn probe(suite: &Suite, session: &Polling) -> Frames {
    let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
    let mut socket = suite.try_websocket(&query).await.expect("it is let in");
    socket.write(&text("2probe")).await;
    assert_eq!(socket.read().await.text(), "3probe");
    socket
}

pub async fn polling_changes_to_a_websocket(suite: Suite) {
    let session = suite.polling().await;
    let mut socket = probe(&suite, &session).await;
    assert_eq!(session.poll().await, Answer { status: 200, body: "6".to_owned() });
    socket.write(&text("5")).await;
    goes_on(&mut socket).await;
}

pub async fn there_is_no_polling_after_the_change(suite: Suite) {
    let session = suite.polling().await;
    let mut socket = probe(&suite, &session).await;
    socket.write(&text("5")).await;
    // What the WebSocket brings first is seen first: it answers this ping behind the change.
    goes_on(&mut socket).await;
    assert_eq!(session.poll().await.status, 400);
    goes_on(&mut socket).await;
}

pub async fn there_is_no_second_websocket_after_the_change(suite: Suite) {
    let session = suite.polling().await;
    let mut socket = probe(&suite, &session).await;
    socket.write(&text("5")).await;
    goes_on(&mut socket).await;
    let query = format!("EIO=4&transport=websocket&sid={}", session.sid);
    if let Some(mut second) = suite.try_websocket(&query).await {
        assert!(second.ended().await);
    }
    goes_on(&mut socket).await;
}

/// The WebSocket carries its session.
async fn goes_on(socket: &mut Frames) {
    assert_eq!(socket.read().await.text(), "2");
    socket.write(&text("3")).await;
}
