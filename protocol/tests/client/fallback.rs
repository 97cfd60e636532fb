//! What a client does where not every transport gets through: scripts and forms, what is passed over and for how long, what is
//! remembered, and servers that refuse.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED, POLL, POLLING, PROBE, Talk, WEBSOCKET, config};
use encke_protocol::client::{
    Config, Failure, Goodbye, Input, Output, PassedOver, State, Transport, Why, judge,
};

/// Milliseconds until a transport that was passed over is given another chance.
const SECOND_CHANCE: u64 = 300_000;
const MINUTE: u64 = 60_000;

const NO_WEBSOCKET: PassedOver = PassedOver { transport: Transport::WebSocket, why: Why::NotOpened };
const CUT_WEBSOCKET: PassedOver = PassedOver { transport: Transport::WebSocket, why: Why::Cut };
const NO_POLLING: PassedOver = PassedOver { transport: Transport::Polling, why: Why::NotOpened };

/// A client that has begun with the first of these transports.
fn talk_over(transports: &[Transport]) -> Talk {
    let mut talk = Talk::new(Config { transports: transports.to_vec(), ..config() });
    talk.client.socket("/");
    talk.connect();
    talk
}

fn talk() -> Talk {
    talk_over(&[Transport::WebSocket, Transport::Polling, Transport::Jsonp])
}

fn join(talk: &mut Talk) -> Vec<String> {
    talk.answer(HANDSHAKE);
    talk.posted();
    talk.answer(JOINED);
    talk.said()
}

/// Up to a session over polling that has got messages through, and whose WebSocket did not open, at first and again.
fn polling() -> Talk {
    let mut talk = talk();
    talk.cut();
    join(&mut talk);
    talk.cut();
    talk.said();
    talk
}

/// The connection holds for so long; minutes.
fn live(talk: &mut Talk, minutes: u64) {
    for _ in 0..3 * minutes {
        talk.pass(MINUTE / 3);
        talk.answer("2");
        talk.posted();
    }
}

/// The index in the last line that names one.
fn index(said: &[String]) -> &str {
    let line = said.iter().rev().find_map(|line| line.split_once("&j=")).expect("a script is loaded");
    line.1.split('&').next().expect("it has a value")
}

#[test]
fn scripts_and_forms_come_when_neither_a_websocket_nor_a_request_gets_through() {
    let mut talk = talk();
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
    talk.cut();
    talk.says(&["end", "connecting over polling (2)", POLLING]);
    talk.fail();
    let said = talk.said();
    let index = index(&said);
    let script = POLLING.replace("GET", "script");
    assert_eq!(said, ["end", "connecting over jsonp (3)", &format!("{script}&j={index}")]);
    talk.answer(HANDSHAKE);
    // A WebSocket has no index.
    let poll = format!("{script}&sid=S&j={index}");
    talk.says(&[PROBE, &poll, "form 40"]);
    talk.posted();
    talk.answer(JOINED);
    talk.says(&["connected over jsonp, websocket not-opened, polling not-opened", "0 joined", &poll]);
}

#[test]
fn each_session_has_a_script_function_of_its_own() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    let first = talk.said();
    talk.fail();
    talk.pass(1_000);
    assert_ne!(index(&first), index(&talk.said()));
}

#[test]
fn a_session_over_scripts_changes_to_a_websocket() {
    let mut talk = talk_over(&[Transport::Jsonp, Transport::WebSocket]);
    assert!(join(&mut talk).contains(&PROBE.to_owned()));
    talk.input(Input::WebSocketOpened);
    talk.says(&["> 2probe"]);
    talk.frame("3probe");
    talk.answer("6");
    talk.says(&["> 5", "connected over websocket"]);
}

#[test]
fn a_session_over_scripts_says_goodbye_by_a_form() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    join(&mut talk);
    talk.input(Input::Disconnect);
    let mut goodbyes = Vec::new();
    while let Some(output) = talk.client.poll_output() {
        if let Output::End { goodbye: Some(Goodbye { url, body, form }) } = output {
            goodbyes.push((url.contains("&sid=S&j="), body, form));
        }
    }
    assert_eq!(goodbyes, [(true, "41\u{1e}1".to_owned(), true)]);
}

#[test]
fn a_form_is_as_long_as_its_encoding_makes_it() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    let socket = talk.client.socket("/");
    talk.answer(&HANDSHAKE.replace("100}", "300}"));
    talk.posted();
    talk.answer(JOINED);
    talk.emit(socket, "first");
    talk.said();
    for _ in 0..20 {
        talk.emit(socket, "e");
    }
    talk.posted();
    // Each of them is 15 bytes in a form, with 3 between two; but an event that is still queued counts as the longest that it can
    // become: 49 bytes of text, and 7 in a form for two of them.
    let seven = [r#"42["e"]"#; 7].join("|");
    talk.says(&[&format!("form {seven}")]);
}

#[test]
fn a_packet_that_only_encoding_makes_too_long_goes_alone() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    let socket = talk.client.socket("/");
    join(&mut talk);
    talk.emit_bytes(socket, 40).expect("it is taken");
    talk.says(&[&format!(r#"form 42["x","{}"]"#, "x".repeat(40))]);
}

#[test]
fn a_field_doubles_the_backslash_before_an_n() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    let socket = talk.client.socket("/");
    join(&mut talk);
    talk.emit(socket, "\n");
    talk.says(&[r#"form 42["\\n"]"#]);
}

#[test]
fn what_did_not_open_while_another_carried_is_passed_over_for_a_while() {
    let mut talk = polling();
    assert_eq!(talk.remembered, Some(vec![(NO_WEBSOCKET, SECOND_CHANCE)]));
    live(&mut talk, 4);
    talk.fail();
    talk.pass(1_000);
    let said = talk.said();
    assert_eq!(said.last().map(String::as_str), Some(POLLING));
    // There is no try to change to it either before its time.
    let said = join(&mut talk);
    assert!(!said.contains(&PROBE.to_owned()), "{said:?}");
    assert_eq!(said[2], "connected over polling, websocket not-opened");
    for _ in 0..2 {
        talk.pass(MINUTE / 3);
        talk.answer("2");
        talk.posted();
    }
    talk.said();
    talk.pass(MINUTE / 3 - 1_001);
    talk.says(&[]);
    talk.pass(1);
    talk.says(&[PROBE]);
}

#[test]
fn what_was_passed_over_is_the_first_again_when_its_time_is_over() {
    let mut talk = polling();
    talk.fail();
    talk.input(Input::Pause);
    talk.sleep(SECOND_CHANCE);
    talk.said();
    talk.input(Input::RetryNow);
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
}

#[test]
fn a_websocket_that_does_not_open_beside_a_session_is_passed_over() {
    for (opens, why) in [(false, Why::NotOpened), (true, Why::Silent)] {
        let mut talk = talk_over(&[Transport::Polling, Transport::WebSocket]);
        join(&mut talk);
        if opens {
            talk.input(Input::WebSocketOpened);
        }
        talk.said();
        talk.pass(1_000);
        talk.cut();
        let connected = format!("connected over polling, websocket {}", why.as_str());
        talk.says(&[&connected, "close"]);
        let passed_over = PassedOver { why, ..NO_WEBSOCKET };
        assert_eq!(talk.remembered.take(), Some(vec![(passed_over, SECOND_CHANCE)]));
        // And again, each time.
        live(&mut talk, 5);
        if opens {
            talk.input(Input::WebSocketOpened);
        }
        talk.said();
        talk.cut();
        talk.says(&["close"]);
        assert!(talk.remembered.is_some_and(|remembered| remembered.len() == 1));
    }
}

#[test]
fn a_websocket_that_opens_after_all_is_not_passed_over_any_more() {
    let mut talk = polling();
    live(&mut talk, 5);
    talk.said();
    talk.input(Input::WebSocketOpened);
    talk.frame("3probe");
    talk.answer("6");
    talk.says(&["> 2probe", "> 5", "connected over websocket"]);
    assert_eq!(talk.remembered, Some(vec![]));
}

/// Up to a session over polling whose WebSocket, known to be cut, has opened after all and answered its probe.
fn doubting() -> Talk {
    let mut talk = Talk::new(config());
    talk.client.socket("/");
    talk.client.pass_over(talk.time(), CUT_WEBSOCKET, MINUTE);
    talk.connect();
    join(&mut talk);
    live(&mut talk, 1);
    talk.input(Input::WebSocketOpened);
    assert_eq!(talk.said().last().map(String::as_str), Some("> 2probe"));
    talk.frame("3probe");
    talk
}

#[test]
fn a_websocket_that_used_to_be_cut_has_to_hold_before_a_session_changes_to_it() {
    let mut talk = doubting();
    let socket = talk.client.socket("/");
    talk.pass(4_999);
    talk.emit(socket, "a");
    talk.answer("6");
    talk.posted();
    talk.says(&[r#"POST 42["a"]"#, POLL]);
    talk.cut();
    talk.says(&["close"]);
    assert_eq!(talk.remembered, Some(vec![(CUT_WEBSOCKET, SECOND_CHANCE)]));

    let mut talk = doubting();
    talk.pass(5_000);
    talk.says(&[]);
    talk.answer("6");
    talk.says(&["> 5"]);
}

#[test]
fn a_websocket_that_used_to_be_cut_is_passed_over_until_it_has_carried_something() {
    for proof in [&["2", "2"][..], &[r#"42["a"]"#]] {
        let mut talk = doubting();
        talk.pass(5_000);
        talk.answer("6");
        assert_eq!(talk.said(), ["> 5"]);
        for frame in proof {
            assert_eq!(talk.remembered, None);
            assert!(talk.said().iter().all(|line| line == "> 3"));
            talk.frame(frame);
        }
        assert!(talk.said().contains(&"connected over websocket".to_owned()), "{proof:?}");
        assert_eq!(talk.remembered, Some(vec![]));
    }
}

#[test]
fn a_websocket_that_used_to_be_cut_and_is_again_is_passed_over_at_once() {
    let mut talk = doubting();
    talk.pass(5_000);
    talk.answer("6");
    talk.cut();
    talk.says(&["> 5", "end", "0 left: transport close", "waiting 1000: Lost(TransportClose)"]);
    assert_eq!(talk.remembered, Some(vec![(CUT_WEBSOCKET, SECOND_CHANCE)]));
    talk.pass(1_000);
    assert_eq!(talk.said().last().map(String::as_str), Some(POLLING));
    let said = join(&mut talk);
    assert!(said.contains(&"connected over polling, websocket cut".to_owned()), "{said:?}");
    assert!(!said.contains(&PROBE.to_owned()), "{said:?}");
}

#[test]
fn the_state_tells_why_a_transport_that_opens_is_not_used() {
    let cut: fn(&mut Talk) = |talk| talk.join_over_websocket();
    let silent: fn(&mut Talk) = |talk| {
        talk.input(Input::WebSocketOpened);
        talk.frame(HANDSHAKE);
        talk.pass(45_000);
    };
    for (story, why) in [(cut, "cut"), (silent, "silent")] {
        let mut talk = talk();
        for _ in 0..3 {
            story(&mut talk);
            talk.cut();
            talk.pass(2_000);
        }
        talk.said();
        let connected = format!("connected over polling, websocket {why}");
        assert_eq!(join(&mut talk)[2], connected);
    }
}

#[test]
fn nothing_is_held_against_transports_while_the_server_is_away() {
    let mut talk = talk();
    for _ in 0..5 {
        talk.cut();
        talk.fail();
        talk.fail();
        talk.pass(5_000);
        assert_eq!(talk.said().last().map(String::as_str), Some(WEBSOCKET));
    }
    assert_eq!(talk.remembered, None);
    talk.join_over_websocket_with("0 joined");
    let connected = State::Connected { transport: Transport::WebSocket, passed_over: vec![] };
    assert_eq!(*talk.client.state(), connected);
}

#[test]
fn what_is_known_of_transports_outlives_a_server_that_was_away() {
    let mut talk = polling();
    live(&mut talk, 1);
    // Now nothing works; what was passed over is tried when all else has failed.
    talk.fail();
    talk.said();
    talk.pass(1_000);
    talk.says(&["connecting over polling (1)", POLLING]);
    talk.fail();
    let said = talk.said();
    assert_eq!(said[1], "connecting over jsonp (2)");
    talk.fail();
    talk.says(&["end", "connecting over websocket (3)", WEBSOCKET]);
    talk.cut();
    talk.says(&["end", "waiting 2000: Unreachable"]);
    talk.pass(2_000);
    talk.says(&["connecting over polling (4)", POLLING]);
}

#[test]
fn a_client_begins_with_what_an_earlier_one_has_found_out() {
    let mut talk = Talk::new(Config {
        transports: vec![Transport::WebSocket, Transport::Polling, Transport::Jsonp],
        ..config()
    });
    talk.client.socket("/");
    talk.client.pass_over(talk.time(), NO_WEBSOCKET, MINUTE);
    talk.client.pass_over(talk.time(), NO_POLLING, u64::MAX);
    talk.connect();
    assert_eq!(talk.said()[0], "connecting over jsonp (1)");
    let said = join(&mut talk);
    assert!(!said.contains(&PROBE.to_owned()), "{said:?}");
    assert_eq!(said[2], "connected over jsonp, websocket not-opened, polling not-opened");
    // It has nothing to add.
    assert_eq!(talk.remembered, None);
    live(&mut talk, 1);
    assert!(talk.said().contains(&PROBE.to_owned()));
    live(&mut talk, 4);
    talk.fail();
    talk.pass(1_000);
    // However long a memory claims to hold.
    assert_eq!(talk.said().last().map(String::as_str), Some(POLLING));
}

#[test]
fn which_transport_is_better_is_said_by_their_list() {
    let listed = |upgrade| {
        let transports = vec![Transport::Jsonp, Transport::Polling, Transport::WebSocket];
        let mut talk = Talk::new(Config { transports, upgrade, ..config() });
        talk.client.socket("/");
        talk.connect();
        talk.fail();
        talk
    };
    let mut talk = listed(false);
    assert!(join(&mut talk).contains(&"connected over polling, jsonp not-opened".to_owned()));
    let mut talk = listed(false);
    talk.fail();
    talk.said();
    talk.join_over_websocket_with("0 joined");
    let passed_over = [Transport::Jsonp, Transport::Polling]
        .map(|transport| PassedOver { transport, why: Why::NotOpened })
        .to_vec();
    assert_eq!(*talk.client.state(), State::Connected { transport: Transport::WebSocket, passed_over });

    // A WebSocket to which a session may change is the best wherever it stands.
    let mut talk = listed(true);
    join(&mut talk);
    talk.cut();
    assert_eq!(talk.said()[0], "connected over polling, jsonp not-opened, websocket not-opened");
    let mut talk = listed(true);
    talk.fail();
    talk.said();
    talk.join_over_websocket_with("0 joined");
    let alone = State::Connected { transport: Transport::WebSocket, passed_over: vec![] };
    assert_eq!(*talk.client.state(), alone);
}

#[test]
fn a_state_tells_only_of_better_transports() {
    let mut talk = Talk::new(Config { transports: vec![Transport::Polling, Transport::Jsonp], ..config() });
    talk.client.socket("/");
    talk.client.pass_over(talk.time(), PassedOver { transport: Transport::Jsonp, why: Why::Cut }, MINUTE);
    talk.connect();
    talk.said();
    assert_eq!(join(&mut talk)[2], "connected over polling");
}

#[test]
fn what_is_remembered_of_a_transport_that_is_not_listed_is_forgotten() {
    let mut talk = Talk::new(Config { transports: vec![Transport::Polling], ..config() });
    talk.client.socket("/");
    talk.client.pass_over(talk.time(), NO_WEBSOCKET, MINUTE);
    talk.connect();
    talk.said();
    assert_eq!(join(&mut talk)[2], "connected over polling");
}

#[test]
fn a_server_that_refuses_is_not_asked_by_other_ways_but_again_later() {
    let mut talk = talk();
    for delay in [1_000, 2_000] {
        talk.said();
        talk.cut();
        talk.said();
        talk.input(Input::GetAnswered(Err(Failure::Forbidden)));
        let waiting = format!("waiting {delay}: Forbidden");
        talk.says(&["end", &waiting]);
        talk.pass(delay);
        assert_eq!(talk.said().last().map(String::as_str), Some(WEBSOCKET));
    }
    assert_eq!(talk.remembered, None);
    talk.join_over_websocket_with("0 joined");
}

#[test]
fn only_the_servers_own_words_are_a_refusal() {
    let forbidden = r#"{"code":4,"message":"Origin not allowed"}"#;
    assert_eq!(judge(403, forbidden), Err(Failure::Forbidden));
    assert_eq!(judge(403, r#"{"code":4,"message":"Forbidden"}"#), Err(Failure::Forbidden));
    for (status, body) in [
        (403, "<h1>Forbidden</h1>"),
        (403, ""),
        (403, r#"{"code":40}"#),
        (400, forbidden),
        (400, r#"{"code":3,"message":"Bad request"}"#),
        (0, ""),
        (199, "ok"),
        (302, "ok"),
    ] {
        assert_eq!(judge(status, body), Err(Failure::Failed), "{status} {body}");
    }
    assert_eq!(judge(200, "ok"), Ok("ok"));
    assert_eq!(judge(204, ""), Ok(""));
}

#[test]
fn a_server_that_says_goodbye_at_once_has_not_cut_the_transport() {
    let mut talk = talk_over(&[Transport::Polling, Transport::Jsonp]);
    for _ in 0..5 {
        talk.join_over_polling();
        talk.answer("1");
        talk.pass(1_000);
        assert_eq!(talk.said().last().map(String::as_str), Some(POLLING));
    }
}

/// What browsers do that do not tell of a form that failed, and proxies that take a request and say nothing.
#[test]
fn a_transport_whose_first_post_is_never_answered_is_given_up() {
    for transports in [&[Transport::Jsonp, Transport::WebSocket], &[Transport::Polling, Transport::WebSocket]]
    {
        let mut talk = Talk::new(Config { transports: transports.to_vec(), upgrade: false, ..config() });
        talk.client.socket("/");
        talk.connect();
        // As for the handshake, there is more time after each wait.
        for (time, delay) in [(5_000, 1_000), (10_000, 2_000)] {
            talk.answer(HANDSHAKE);
            talk.said();
            talk.pass(time - 1);
            talk.says(&[]);
            talk.pass(1);
            talk.says(&["end", &format!("waiting {delay}: Unreachable")]);
            talk.pass(delay);
        }
        talk.answer(HANDSHAKE);
        // Its answer may have got lost, and it not.
        talk.answer(JOINED);
        talk.pass(15_000);
        assert_eq!(talk.said().last().map(String::as_str), Some(WEBSOCKET));
    }
}

/// A server holds the answer while its queues are full.
#[test]
fn a_later_post_may_be_held_for_long() {
    let mut talk = talk_over(&[Transport::Jsonp]);
    let socket = talk.client.socket("/");
    join(&mut talk);
    talk.emit(socket, "a");
    talk.said();
    for _ in 0..20 {
        talk.pass(20_000);
        talk.answer("2");
        assert_eq!(talk.said().len(), 1, "it polls again");
    }
    talk.posted();
    assert!(talk.said()[0].starts_with("form 3"), "the pongs follow");
}

/// Though forms seem to be answered, a server that hears nothing of its client gives it up in the end.
#[test]
fn a_server_that_gives_up_a_client_it_never_heard_has_them_try_other_ways() {
    let mut talk = talk();
    talk.cut();
    talk.fail();
    for _ in 0..3 {
        talk.said();
        talk.answer(HANDSHAKE);
        talk.posted();
        talk.pass(25_000);
        talk.answer("2");
        talk.posted();
        talk.pass(20_000);
        talk.answer("1");
        talk.pass(5_000);
    }
    assert_eq!(talk.said().last().map(String::as_str), Some(WEBSOCKET));
}

#[test]
fn transports_have_names() {
    for transport in [Transport::WebSocket, Transport::Polling, Transport::Jsonp] {
        assert_eq!(Transport::from_name(transport.as_str()), Some(transport));
    }
    assert_eq!(Transport::from_name("carrier-pigeon"), None);
}
