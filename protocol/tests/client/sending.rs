//! What is sent, when, in which order and in which pieces; and what is not.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED, POLL, Talk, config_over};
use encke_protocol::client::{Config, Emit, Failure, Input, NotSent, Transport};
use encke_protocol::socket::{Args, ArgsBuilder};

fn connecting(config: Config) -> Talk {
    let mut talk = Talk::new(config);
    talk.client.socket("/");
    talk.connect();
    talk.said();
    talk
}

#[test]
fn what_is_emitted_before_joining_is_sent_in_order_after_it() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.emit(socket, "a");
    talk.connect();
    talk.emit(socket, "b");
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.emit(socket, "c");
    talk.said();
    talk.frame(JOINED);
    talk.emit(socket, "d");
    talk.says(&[
        "connected over websocket",
        "0 joined",
        r#"> 42["a"]"#,
        r#"> 42["b"]"#,
        r#"> 42["c"]"#,
        r#"> 42["d"]"#,
    ]);
}

#[test]
fn what_is_queued_outlives_a_session() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.emit(socket, "b");
    talk.said();
    talk.input(Input::PostAnswered(Err(Failure::Failed)));
    talk.emit(socket, "c");
    talk.pass(1_000);
    // Whether `a` arrived is unknown, so it is not sent twice.
    talk.join_over_polling_with(r#"POST 42["b"]|42["c"]"#);
}

#[test]
fn one_post_is_under_way_at_a_time() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.says(&[r#"POST 42["a"]"#]);
    talk.emit(socket, "b");
    talk.emit(socket, "c");
    talk.says(&[]);
    talk.posted();
    talk.says(&[r#"POST 42["b"]|42["c"]"#]);
}

#[test]
fn a_payload_has_at_most_sixteen_packets() {
    let (mut talk, socket) = Talk::joined_with_limit(Transport::Polling, 100_000);
    talk.emit(socket, "first");
    for _ in 0..20 {
        talk.emit(socket, "");
    }
    talk.said();
    for packets in [16, 4] {
        talk.posted();
        let lines = talk.said();
        let [post] = lines.as_slice() else {
            panic!("one POST: {lines:?}");
        };
        assert_eq!(post.matches("42").count(), packets);
    }
}

#[test]
fn a_payload_is_no_larger_than_the_server_takes_and_what_does_not_fit_stays_queued() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "first");
    talk.said();
    for _ in 0..3 {
        talk.emit_bytes(socket, 40).expect("it fits");
    }
    talk.posted();
    let event = format!(r#"42["x","{}"]"#, "x".repeat(40));
    talk.says(&[&format!("POST {event}")]);
    // The session ends, and only what was posted is lost.
    talk.fail();
    talk.pass(1_000);
    talk.said();
    talk.answer(HANDSHAKE);
    talk.posted();
    talk.answer(JOINED);
    talk.posted();
    let posts = talk.said().into_iter().filter(|line| line.contains("xxx")).collect::<Vec<_>>();
    assert_eq!(posts, [format!("POST {event}"), format!("POST {event}")]);
}

#[test]
fn a_message_larger_than_the_server_takes_is_refused() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    assert_eq!(talk.emit_bytes(socket, 40), Ok(()));
    assert_eq!(talk.emit_bytes(socket, 60), Err(NotSent::TooLarge));
    let binary = |len: usize| {
        let args = ArgsBuilder::new().binary(vec![0; len]).build();
        Emit { name: "x".into(), args, volatile: false, ack: None }
    };
    assert!(talk.try_emit(socket, binary(66)).is_ok());
    let refused = talk.try_emit(socket, binary(90)).expect_err("base64 makes it larger than the limit");
    assert_eq!(refused.reason, NotSent::TooLarge);
}

#[test]
fn a_queued_message_that_turns_out_too_large_is_dropped_and_said_so() {
    let mut talk = connecting(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.emit_bytes(socket, 200).expect("the limit is not known yet");
    let args = ArgsBuilder::new().string(&"x".repeat(200)).build();
    let emit = Emit { name: "x".into(), args, volatile: false, ack: Some((7, 1_000)) };
    talk.try_emit(socket, emit).expect("the limit is not known yet");
    talk.emit(socket, "small");
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.frame(JOINED);
    talk.says(&[
        "> 40",
        "connected over websocket",
        "0 joined",
        "0 dropped",
        "ack 7: not sent, TooLarge",
        r#"> 42["small"]"#,
    ]);
}

#[test]
fn the_outbox_is_bounded() {
    let mut talk =
        connecting(Config { max_queued: 2, max_message: 200, ..config_over(Transport::WebSocket) });
    let socket = talk.client.socket("/");
    assert_eq!(talk.emit_bytes(socket, 300), Err(NotSent::TooLarge));
    talk.emit(socket, "a");
    talk.emit(socket, "b");
    assert_eq!(talk.emit_bytes(socket, 1), Err(NotSent::Full));
    let emit = Emit { name: "c".into(), args: Args::default(), volatile: false, ack: Some((7, 1_000)) };
    let refused = talk.try_emit(socket, emit).expect_err("it is full");
    assert_eq!((refused.reason, refused.ack), (NotSent::Full, Some(7)));
}

#[test]
fn a_volatile_event_is_sent_at_once_or_never() {
    let mut talk = connecting(config_over(Transport::Polling));
    let socket = talk.client.socket("/");
    assert_eq!(talk.volatile(socket, None), Err(NotSent::Busy));
    talk.join_over_polling();
    assert_eq!(talk.volatile(socket, Some(1)), Ok(()));
    talk.says(&[r#"POST 420["volatile"]"#]);
    // A POST is under way.
    assert_eq!(talk.volatile(socket, Some(2)), Err(NotSent::Busy));
    talk.posted();
    talk.says(&[]);

    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    assert_eq!(talk.volatile(socket, None), Ok(()));
    talk.says(&[r#"> 42["volatile"]"#]);
}

#[test]
fn attachments_follow_their_event_on_a_websocket() {
    let (mut talk, socket) = Talk::joined_with_limit(Transport::WebSocket, 1_000);
    let args = ArgsBuilder::new().binary(vec![1]).string("a").binary(vec![2, 3]).build();
    talk.try_emit(socket, Emit { name: "b".into(), args, volatile: false, ack: None }).expect("it is taken");
    talk.says(&[
        r#"> 452-["b",{"_placeholder":true,"num":0},"a",{"_placeholder":true,"num":1}]"#,
        "> [1]",
        "> [2, 3]",
    ]);
}

#[test]
fn attachments_follow_their_event_in_payloads_and_nothing_comes_between() {
    let (mut talk, socket) = Talk::joined_with_limit(Transport::Polling, 150);
    let args = ArgsBuilder::new().binary(vec![1; 60]).binary(vec![2; 60]).build();
    talk.try_emit(socket, Emit { name: "b".into(), args, volatile: false, ack: None }).expect("it is taken");
    talk.emit(socket, "c");
    let mut packets = Vec::new();
    for _ in 0..3 {
        let said = talk.said().join("");
        let body = said.strip_prefix("POST ").expect("a POST at a time");
        assert!(body.len() <= 150, "{body}");
        packets.extend(body.split('|').map(|packet| packet.chars().take(3).collect::<String>()));
        talk.posted();
    }
    assert_eq!(packets, ["452", "bAQ", "bAg", "42["]);
}

#[test]
fn attachments_of_the_server_are_put_together() {
    let (mut talk, _) = Talk::joined(Transport::WebSocket);
    talk.frame(r#"451-["b",{"_placeholder":true,"num":0}]"#);
    talk.says(&[]);
    talk.bytes(&[1, 2]);
    talk.says(&[r#"0 hears b {"_placeholder":true,"num":0} [1, 2]"#]);

    let (mut talk, _) = Talk::joined(Transport::Polling);
    talk.answer(r#"451-["b",{"_placeholder":true,"num":0}]|bAQI=|42["c"]"#);
    talk.says(&[r#"0 hears b {"_placeholder":true,"num":0} [1, 2]"#, "0 hears c ", POLL]);
}

#[test]
fn an_event_of_the_server_is_answered() {
    for (transport, answer) in [
        (Transport::WebSocket, "> 437[1]"),
        (Transport::Polling, "POST 437[1]"),
        (Transport::Jsonp, "form 437[1]"),
    ] {
        let (mut talk, socket) = Talk::joined(transport);
        match transport {
            Transport::WebSocket => talk.frame(r#"427["q"]"#),
            Transport::Polling | Transport::Jsonp => talk.answer(r#"427["q"]"#),
        }
        talk.said();
        let to = talk.reply_to.expect("the server waits");
        talk.client.reply(socket, to, ArgsBuilder::new().json("1").build());
        talk.says(&[answer]);
    }
}

#[test]
fn an_answer_is_not_sent_to_the_next_session_where_the_same_number_means_another_event() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.frame(r#"427["q"]"#);
    talk.said();
    let to = talk.reply_to.expect("the server waits");
    talk.cut();
    talk.client.reply(socket, to, Args::default());
    talk.pass(1_000);
    talk.join_over_websocket();
    talk.frame(r#"427["other"]"#);
    talk.said();
    talk.client.reply(socket, to, Args::default());
    talk.says(&[]);
}

#[test]
fn an_answer_that_is_still_queued_ends_with_the_session() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.answer(r#"427["q"]"#);
    talk.said();
    let to = talk.reply_to.expect("the server waits");
    talk.client.reply(socket, to, Args::default());
    talk.emit(socket, "b");
    talk.fail();
    talk.pass(1_000);
    talk.join_over_polling_with(r#"POST 42["b"]"#);
}

#[test]
fn answers_are_bounded_too() {
    let mut talk = connecting(Config { max_queued: 2, ..config_over(Transport::Polling) });
    let socket = talk.client.socket("/");
    talk.join_over_polling();
    talk.answer(r#"421["q"]"#);
    let to = talk.reply_to;
    talk.said();
    let to = to.or(talk.reply_to).expect("the server waits");
    for _ in 0..10 {
        talk.client.reply(socket, to, Args::default());
    }
    let said = talk.said();
    assert_eq!(said.iter().filter(|line| *line == "0 dropped").count(), 7, "{said:?}");
    assert_eq!(said.iter().filter(|line| *line == "POST 431[]").count(), 1, "{said:?}");
    talk.posted();
    talk.says(&["POST 431[]|431[]"]);
    talk.posted();
    talk.says(&[]);
}

#[test]
fn an_answer_that_is_too_large_is_dropped_and_said_so() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.frame(r#"421["q"]"#);
    talk.said();
    let to = talk.reply_to.expect("the server waits");
    talk.client.reply(socket, to, ArgsBuilder::new().string(&"x".repeat(100)).build());
    talk.says(&["0 dropped"]);
}
