//! An ack always ends, and ends once.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, Talk, config_over};
use encke_protocol::client::{Failure, Input, Transport};

#[test]
fn an_ack_ends_by_the_answer_whatever_the_order() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.ask(socket, "a", 1);
    talk.ask(socket, "b", 2);
    talk.says(&[r#"> 420["a"]"#, r#"> 421["b"]"#]);
    talk.frame("431[2]");
    talk.frame(r#"430["one",1]"#);
    talk.says(&["ack 2: 2", r#"ack 1: "one",1"#]);
    // Twice, or to what nobody asked: nothing.
    talk.frame("430[1]");
    talk.frame("4399[1]");
    talk.says(&[]);
    talk.pass(10_000);
    talk.says(&[]);
}

#[test]
fn an_ack_that_was_sent_for_ends_in_time_and_a_late_answer_is_nothing() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.ask(socket, "a", 1);
    talk.said();
    talk.pass(9_999);
    talk.says(&[]);
    talk.pass(1);
    talk.says(&["ack 1: timeout"]);
    talk.frame("430[1]");
    talk.says(&[]);
}

#[test]
fn an_event_whose_ack_timed_out_in_the_queue_is_not_sent() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.ask(socket, "a", 1);
    talk.sleep(5_000);
    talk.ask(socket, "b", 2);
    talk.pass(5_000);
    talk.says(&["ack 1: timeout"]);
    talk.connect();
    talk.join_over_websocket_with(r#"> 420["b"]"#);
}

#[test]
fn when_the_session_ends_what_was_sent_is_unknown_and_what_was_not_waits() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.ask(socket, "a", 1);
    talk.ask(socket, "b", 2);
    talk.said();
    talk.input(Input::PostAnswered(Err(Failure::Failed)));
    talk.says(&[
        "end",
        "0 left: transport error",
        "ack 1: disconnected",
        "waiting 1000: Lost(TransportError)",
    ]);
    talk.pass(1_000);
    talk.join_over_polling_with(r#"POST 421["b"]"#);
    // The number goes on, so that an answer to `a` that is still to come is not taken for one to `b`.
    talk.answer("430[]");
    talk.said();
    talk.answer("431[]");
    assert!(talk.said().contains(&"ack 2: ".to_owned()));
}

#[test]
fn when_the_application_leaves_every_ack_ends() {
    let ends = ["0 left: io client disconnect", "ack 1: disconnected", "ack 2: not sent, Closed"];
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.ask(socket, "a", 1);
    talk.ask(socket, "b", 2);
    talk.said();
    talk.client.leave(socket);
    talk.says(&ends);
    talk.posted();
    talk.says(&["POST 41"]);

    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.ask(socket, "a", 1);
    talk.ask(socket, "b", 2);
    talk.said();
    talk.input(Input::Disconnect);
    // The second one left with the goodbye.
    let goodbye = r#"end, POST 421["b"]|41|1"#;
    talk.says(&[
        "0 left: io client disconnect",
        "ack 1: disconnected",
        "ack 2: disconnected",
        goodbye,
        "closed",
    ]);
}

#[test]
fn when_the_server_refuses_or_puts_out_every_ack_ends() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.ask(socket, "a", 1);
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.said();
    talk.frame(r#"44{"message":"no"}"#);
    talk.says(&["connected over websocket", "0 refused: no ", "ack 1: not sent, Closed"]);

    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.ask(socket, "a", 1);
    talk.said();
    talk.frame("41");
    talk.says(&["0 left: io server disconnect", "ack 1: disconnected"]);
}

#[test]
fn an_ack_that_is_given_up_is_free_and_its_event_is_not_sent_if_it_was_not_yet() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.ask(socket, "sent", 1);
    talk.ask(socket, "queued", 2);
    talk.ask(socket, "after", 3);
    talk.said();
    assert_eq!(talk.client.cancel(socket, |slot| *slot == 1), Some(1));
    assert_eq!(talk.client.cancel(socket, |slot| *slot == 2), Some(2));
    assert_eq!(talk.client.cancel(socket, |slot| *slot == 2), None);
    talk.posted();
    talk.says(&[r#"POST 421["after"]"#]);
    talk.answer("430[]");
    let said = talk.said();
    assert!(said.iter().all(|line| !line.starts_with("ack")), "{said:?}");
    talk.pass(10_000);
    assert!(talk.said().contains(&"ack 3: timeout".to_owned()));
}
