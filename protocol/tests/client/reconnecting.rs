//! How a session ends, what follows, and how the application ends it.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED, POLL, POLLING, Talk, WEBSOCKET, config, config_over};
use encke_protocol::client::{Backoff, Config, Failure, Input, State, Transport};

const BOTH: [Transport; 2] = [Transport::WebSocket, Transport::Polling];

#[test]
fn delays_double_up_to_the_longest_and_begin_anew_after_a_session_of_use() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.client.socket("/");
    talk.connect();
    for (attempt, delay) in [(1, 1_000), (2, 2_000), (3, 4_000), (4, 5_000), (5, 5_000)] {
        talk.says(&[&format!("connecting over websocket ({attempt})"), WEBSOCKET]);
        talk.cut();
        talk.says(&["end", &format!("waiting {delay}: Unreachable")]);
        talk.pass(delay - 1);
        talk.says(&[]);
        talk.pass(1);
    }
    talk.join_over_websocket();
    talk.pass(5_000);
    talk.cut();
    talk.says(&["end", "0 left: transport close", "waiting 1000: Lost(TransportClose)"]);
}

#[test]
fn delays_are_spread_by_the_seed() {
    let delays = |seed| {
        let config = Config { seed, backoff: Backoff::default(), ..config_over(Transport::WebSocket) };
        let mut talk = Talk::new(config);
        talk.connect();
        let delays = (0..20).map(|_| {
            talk.cut();
            let State::Waiting { delay, .. } = *talk.client.state() else {
                panic!("it waits");
            };
            talk.pass(delay);
            delay
        });
        delays.collect::<Vec<_>>()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
    let (first, later) = (delays(1), delays(1).split_off(4));
    assert!((500..=1_500).contains(first.first().expect("there is one")));
    assert!(later.iter().all(|delay| (2_500..=7_500).contains(delay)), "{later:?}");
    assert!(later.iter().any(|delay| *delay < 5_000) && later.iter().any(|delay| *delay > 5_000));
}

#[test]
fn a_backoff_takes_any_numbers() {
    for (min, max, jitter) in [(0, 0, 0), (u32::MAX, u32::MAX, u32::MAX), (5, 1, 100), (1, u32::MAX, 100)] {
        for failures in [0, 1, 2, 40, u32::MAX] {
            let delay = Backoff { min, max, jitter }.delay(failures, u64::MAX);
            assert!(delay <= u64::from(max) * 2, "{delay}");
        }
    }
}

#[test]
fn a_server_that_is_away_is_tried_over_all_transports_after_each_wait() {
    let mut talk = Talk::new(config());
    talk.client.socket("/");
    talk.connect();
    for (attempt, delay) in [(1, 1_000), (3, 2_000), (5, 4_000)] {
        talk.says(&[&format!("connecting over websocket ({attempt})"), WEBSOCKET]);
        talk.cut();
        talk.says(&["end", &format!("connecting over polling ({})", attempt + 1), POLLING]);
        talk.fail();
        talk.says(&["end", &format!("waiting {delay}: Unreachable")]);
        talk.pass(delay);
    }
}

#[test]
fn each_wait_gives_the_next_attempt_more_time_to_open_up_to_a_limit() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.client.socket("/");
    talk.connect();
    for (open, delay) in [(5_000, 1_000), (10_000, 2_000), (15_000, 4_000), (20_000, 5_000), (20_000, 5_000)]
    {
        talk.said();
        talk.pass(open - 1);
        talk.says(&[]);
        talk.pass(1);
        talk.says(&["end", &format!("waiting {delay}: Unreachable")]);
        talk.pass(delay);
    }
}

#[test]
fn a_timer_that_rings_early_changes_nothing() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.connect();
    talk.said();
    talk.pass(4_999);
    talk.input(Input::Timeout);
    talk.says(&[]);
    talk.cut();
    talk.said();
    talk.pass(999);
    talk.input(Input::Timeout);
    talk.says(&[]);
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.ask(socket, "a", 1);
    talk.said();
    talk.pass(9_999);
    talk.input(Input::Timeout);
    talk.says(&[]);
}

#[test]
fn a_good_moment_and_the_application_end_a_wait() {
    for input in [Input::RetryNow, Input::Connect] {
        let mut talk = Talk::new(config_over(Transport::WebSocket));
        talk.connect();
        talk.cut();
        talk.said();
        talk.pass(10);
        talk.input(input);
        talk.says(&["connecting over websocket (2)", WEBSOCKET]);
        talk.pass(2_000);
        talk.says(&[]);
    }
}

#[test]
fn a_good_moment_changes_nothing_where_there_is_nothing_to_try() {
    let mut talk = Talk::new(config());
    talk.input(Input::RetryNow);
    talk.says(&[]);
    for transport in BOTH {
        let (mut talk, _) = Talk::joined(transport);
        talk.input(Input::RetryNow);
        talk.input(Input::Connect);
        talk.says(&[]);
        talk.input(Input::Disconnect);
        talk.said();
        talk.input(Input::RetryNow);
        talk.says(&[]);
    }
}

#[test]
fn heartbeats_are_answered() {
    let (mut talk, _) = Talk::joined(Transport::WebSocket);
    talk.frame("2");
    talk.says(&["> 3"]);
    let (mut talk, _) = Talk::joined(Transport::Polling);
    talk.answer("2");
    talk.says(&[POLL, "POST 3"]);
}

#[test]
fn a_server_that_is_silent_for_too_long_is_given_up() {
    for transport in BOTH {
        let (mut talk, _) = Talk::joined(transport);
        talk.pass(44_999);
        talk.says(&[]);
        talk.pass(1);
        talk.says(&["end", "0 left: ping timeout", "waiting 1000: Lost(PingTimeout)"]);
    }
}

#[test]
fn silence_is_judged_by_the_clock_also_when_timers_slept() {
    let lost = ["end", "0 left: ping timeout", "waiting 1000: Lost(PingTimeout)"];
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.sleep(60_000);
    talk.emit(socket, "a");
    talk.says(&lost);
    talk.pass(1_000);
    talk.join_over_websocket_with(r#"> 42["a"]"#);

    let (mut talk, _) = Talk::joined(Transport::WebSocket);
    talk.sleep(60_000);
    talk.input(Input::RetryNow);
    talk.says(&lost);
}

#[test]
fn disconnecting_says_goodbye_on_a_websocket() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.emit(socket, "a");
    talk.input(Input::Disconnect);
    talk.says(&[r#"> 42["a"]"#, "> 41", "0 left: io client disconnect", "end", "closed"]);
    talk.pass(1_000_000);
    talk.says(&[]);
}

#[test]
fn disconnecting_says_goodbye_by_a_last_post() {
    let (mut talk, _) = Talk::joined(Transport::Polling);
    talk.input(Input::Disconnect);
    talk.says(&["0 left: io client disconnect", "end, POST 41|1", "closed"]);

    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.input(Input::Disconnect);
    talk.says(&[r#"POST 42["a"]"#, "0 left: io client disconnect", "end, POST 41|1", "closed"]);
    talk.pass(1_000_000);
    talk.says(&[]);
}

#[test]
fn what_is_queued_behind_a_post_leaves_with_the_goodbye() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.emit(socket, "b");
    talk.ask(socket, "c", 1);
    talk.said();
    talk.input(Input::Disconnect);
    let goodbye = r#"end, POST 42["b"]|420["c"]|41|1"#;
    talk.says(&["0 left: io client disconnect", "ack 1: disconnected", goodbye, "closed"]);
}

#[test]
fn a_goodbye_is_one_payload_and_what_does_not_fit_is_not_sent() {
    for limit in [100, 100_000] {
        let (mut talk, socket) = Talk::joined_with_limit(Transport::Polling, limit);
        talk.emit(socket, "a");
        talk.said();
        for slot in 0..30 {
            talk.ask(socket, "b", slot);
        }
        talk.input(Input::Disconnect);
        let said = talk.said();
        let goodbye = said.iter().find_map(|line| line.strip_prefix("end, POST ")).expect("it says goodbye");
        assert!(goodbye.split('|').count() <= 16 && goodbye.ends_with("|1"), "{goodbye}");
        assert!(goodbye.len() <= 100 || limit > 100, "{goodbye}");
        let sent = goodbye.matches("[\"b\"]").count();
        let ended = |how: &str| said.iter().filter(|line| line.ends_with(how)).count();
        assert!(sent > 0);
        assert_eq!((ended(": disconnected"), ended(": not sent, Closed")), (sent, 30 - sent));
    }
}

#[test]
fn a_goodbye_to_many_namespaces_is_one_payload_too() {
    let (mut talk, _) = Talk::joined_with_limit(Transport::Polling, 100_000);
    for number in 0..20 {
        talk.client.socket(&format!("/{number}"));
        talk.posted();
        talk.answer(&format!(r#"40/{number},{{"sid":"s"}}"#));
    }
    talk.said();
    talk.input(Input::Disconnect);
    let said = talk.said();
    let goodbye = said.iter().find_map(|line| line.strip_prefix("end, POST ")).expect("it says goodbye");
    assert_eq!(goodbye.split('|').count(), 16);
    assert!(goodbye.ends_with("|1"), "{goodbye}");
}

#[test]
fn disconnecting_before_the_handshake_ends_what_is_open_and_says_nothing() {
    for transport in BOTH {
        let mut talk = Talk::new(config_over(transport));
        talk.client.socket("/");
        talk.connect();
        talk.said();
        talk.input(Input::Disconnect);
        talk.says(&["end", "closed"]);
    }
    let mut talk = Talk::new(config());
    talk.input(Input::Disconnect);
    talk.says(&["closed"]);
}

#[test]
fn disconnecting_ends_a_wait() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.connect();
    talk.cut();
    talk.said();
    talk.input(Input::Disconnect);
    talk.says(&["closed"]);
    assert_eq!(talk.client.next_deadline(), None);
}

#[test]
fn connecting_again_brings_the_sockets_back_but_those_that_had_left() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.client.socket("/");
    let other = talk.client.socket("/other");
    talk.connect();
    talk.join_over_websocket();
    talk.client.leave(other);
    talk.input(Input::Disconnect);
    talk.said();
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.says(&["connecting over websocket (1)", WEBSOCKET, "> 40"]);
}

#[test]
fn a_page_that_is_left_ends_its_session_and_keeps_what_is_queued() {
    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "a");
    talk.emit(socket, "b");
    talk.said();
    talk.input(Input::Pause);
    talk.says(&["end, POST 1", "0 left: forced close", "paused"]);
    talk.pass(1_000_000);
    talk.ask(socket, "c", 1);
    talk.says(&[]);
    talk.input(Input::RetryNow);
    talk.says(&["connecting over polling (1)", POLLING]);
    talk.answer(HANDSHAKE);
    talk.posted();
    talk.answer(JOINED);
    talk.says(&[POLL, "POST 40", "connected over polling", "0 joined", POLL, r#"POST 42["b"]|420["c"]"#]);
}

#[test]
fn a_page_that_is_left_while_waiting_stays_quiet() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.connect();
    talk.cut();
    talk.said();
    talk.input(Input::Pause);
    talk.says(&["paused"]);
    assert_eq!(talk.client.next_deadline(), None);
}

#[test]
fn a_client_that_is_not_connected_cannot_be_paused() {
    let mut talk = Talk::new(config());
    talk.input(Input::Pause);
    talk.input(Input::RetryNow);
    talk.input(Input::Disconnect);
    talk.input(Input::Pause);
    talk.input(Input::RetryNow);
    talk.says(&["closed"]);
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    for transport in BOTH {
        let (mut talk, _) = Talk::joined(transport);
        talk.input(Input::Disconnect);
        talk.said();
        for text in ["2", "1", r#"42["a"]"#, "x"] {
            talk.frame(text);
            talk.answer(text);
        }
        talk.posted();
        talk.cut();
        talk.input(Input::WebSocketOpened);
        talk.fail();
        talk.input(Input::PostAnswered(Err(Failure::Failed)));
        talk.input(Input::Timeout);
        talk.says(&[]);
    }
}

#[test]
fn a_request_that_fails_ends_the_session() {
    for input in [Input::GetAnswered(Err(Failure::Failed)), Input::PostAnswered(Err(Failure::Failed))] {
        let (mut talk, socket) = Talk::joined(Transport::Polling);
        talk.emit(socket, "a");
        talk.said();
        talk.pass(5_000);
        talk.input(input);
        talk.says(&["end", "0 left: transport error", "waiting 1000: Lost(TransportError)"]);
    }
}

#[test]
fn a_server_that_closes_or_breaks_the_protocol_ends_the_session() {
    for (frame, reason, word) in [
        ("1", "TransportClose", "transport close"),
        ("x", "ParseError", "parse error"),
        ("", "ParseError", "parse error"),
        ("0{}", "ParseError", "parse error"),
        ("4x", "ParseError", "parse error"),
        ("451-[\"a\"]", "ParseError", "parse error"),
    ] {
        let (mut talk, _) = Talk::joined(Transport::WebSocket);
        talk.pass(5_000);
        talk.frame(frame);
        talk.frame("42[\"a\"]");
        talk.says(&["end", &format!("0 left: {word}"), &format!("waiting 1000: Lost({reason})")]);
    }
}

#[test]
fn a_handshake_that_is_none_is_as_good_as_no_answer() {
    let mut talk = Talk::new(config());
    talk.connect();
    talk.said();
    talk.frame("0{\"sid\":\"a b\"}");
    talk.says(&["end", "connecting over polling (2)", POLLING]);
    talk.answer("<html>");
    talk.says(&["end", "waiting 1000: Unreachable"]);
}
