//! Which transport is used, and how one is changed for another.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED, POLL, POLLING, PROBE, Talk, WEBSOCKET, config, config_over};
use encke_protocol::client::{Config, Input, Transport};

/// Milliseconds after which a cut says nothing against a transport.
const PROOF: u64 = 5_000;
/// Milliseconds until a WebSocket is given another chance.
const SECOND_CHANCE: u64 = 300_000;

fn talk() -> Talk {
    let mut talk = Talk::new(config());
    talk.client.socket("/");
    talk.connect();
    talk
}

/// Up to the point where the session is over polling and its WebSocket is being opened.
fn fall_back(talk: &mut Talk) {
    talk.said();
    talk.cut();
    talk.answer(HANDSHAKE);
    talk.said();
}

/// Up to the point where a session that began over polling is open and its WebSocket is being opened.
fn upgrading() -> Talk {
    let mut talk =
        Talk::new(Config { transports: vec![Transport::Polling, Transport::WebSocket], ..config() });
    talk.client.socket("/");
    talk.connect();
    talk.answer(HANDSHAKE);
    talk
}

#[test]
fn the_websocket_comes_first_and_no_request_is_made() {
    let mut talk = talk();
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
    talk.input(Input::WebSocketOpened);
    talk.says(&[]);
    talk.frame(HANDSHAKE);
    talk.says(&["> 40"]);
    talk.frame(JOINED);
    talk.says(&["connected over websocket", "0 joined"]);
}

#[test]
fn a_websocket_that_is_refused_is_followed_by_polling_at_once() {
    let mut talk = talk();
    talk.said();
    talk.cut();
    talk.says(&["end", "connecting over polling (2)", POLLING]);
    talk.answer(HANDSHAKE);
    talk.says(&[PROBE, POLL, "POST 40"]);
    talk.posted();
    talk.answer(JOINED);
    talk.says(&["connected over polling, websocket not-opened", "0 joined", POLL]);
}

#[test]
fn a_websocket_that_does_not_open_in_time_is_followed_by_polling() {
    let mut talk = talk();
    talk.said();
    talk.pass(4_999);
    talk.says(&[]);
    talk.pass(1);
    talk.says(&["end", "connecting over polling (2)", POLLING]);
}

#[test]
fn a_websocket_that_opens_and_says_nothing_is_followed_by_polling() {
    let mut talk = talk();
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.pass(5_000);
    talk.says(&["end", "connecting over polling (2)", POLLING]);
}

#[test]
fn the_upgrade_waits_for_the_requests_and_queued_messages_follow_it() {
    let mut talk = talk();
    let socket = talk.client.socket("/");
    fall_back(&mut talk);
    talk.posted();
    talk.answer(JOINED);
    talk.emit(socket, "a");
    talk.says(&["connected over polling, websocket not-opened", "0 joined", POLL, r#"POST 42["a"]"#]);
    talk.input(Input::WebSocketOpened);
    talk.says(&["> 2probe"]);
    talk.frame("3probe");
    talk.emit(socket, "b");
    // The GET and the POST are under way, and what comes with them comes first.
    talk.says(&[]);
    talk.answer(r#"42["c"]"#);
    talk.says(&["0 hears c "]);
    talk.posted();
    talk.says(&["> 5", "connected over websocket", r#"> 42["b"]"#]);
    talk.frame(r#"42["d"]"#);
    talk.says(&["0 hears d "]);
}

#[test]
fn a_probe_that_fails_leaves_the_session_where_it_is_until_the_next_try() {
    let mut talk = talk();
    fall_back(&mut talk);
    talk.posted();
    talk.answer(JOINED);
    talk.said();
    talk.cut();
    talk.says(&["close"]);
    let heartbeats = SECOND_CHANCE / 20_000;
    for _ in 1..heartbeats {
        talk.pass(20_000);
        talk.answer("2");
        talk.posted();
        talk.says(&[POLL, "POST 3"]);
    }
    talk.pass(20_000);
    talk.says(&[PROBE]);
}

#[test]
fn a_server_that_offers_no_websocket_is_not_asked_for_one() {
    let mut talk = talk();
    talk.said();
    talk.cut();
    talk.answer(&HANDSHAKE.replace(r#"["websocket"]"#, "[]"));
    talk.posted();
    talk.answer(JOINED);
    for _ in 0..20 {
        assert!(!talk.said().contains(&PROBE.to_owned()));
        talk.pass(20_000);
        talk.answer("2");
        talk.posted();
    }
}

#[test]
fn a_probe_that_is_not_answered_is_given_up() {
    let mut talk = talk();
    fall_back(&mut talk);
    talk.posted();
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.pass(10_000);
    talk.says(&["close"]);
}

#[test]
fn three_websockets_that_are_cut_at_once_are_followed_by_polling_without_upgrade() {
    let mut talk = talk();
    for delay in [1_000, 2_000] {
        talk.join_over_websocket();
        talk.pass(PROOF - 1);
        talk.cut();
        let waiting = format!("waiting {delay}: Lost(TransportClose)");
        talk.says(&["end", "0 left: transport close", &waiting]);
        talk.pass(delay);
        assert!(talk.said().contains(&WEBSOCKET.to_owned()));
    }
    talk.join_over_websocket();
    talk.cut();
    talk.says(&["end", "0 left: transport close", "connecting over polling (4)", POLLING]);
    talk.answer(HANDSHAKE);
    talk.says(&[POLL, "POST 40"]);
    // Later there is another chance.
    talk.posted();
    talk.answer(JOINED);
    talk.pass(40_000);
    talk.said();
    for _ in 0..6 {
        talk.answer("2");
        talk.posted();
        talk.said();
        talk.pass(40_000);
    }
    talk.answer("2");
    talk.posted();
    talk.said();
    talk.pass(SECOND_CHANCE - 7 * 40_000);
    talk.says(&[PROBE]);
}

#[test]
fn a_websocket_that_is_cut_after_a_while_has_been_of_use() {
    let mut talk = talk();
    for _ in 0..5 {
        talk.join_over_websocket();
        talk.pass(PROOF);
        talk.cut();
        talk.says(&["end", "0 left: transport close", "waiting 1000: Lost(TransportClose)"]);
        talk.pass(1_000);
        talk.says(&["connecting over websocket (1)", WEBSOCKET]);
    }
}

#[test]
fn a_session_of_use_forgives_the_cuts_before_it() {
    let mut talk = talk();
    for use_for in [0, 0, PROOF, 0, 0] {
        talk.join_over_websocket();
        talk.pass(use_for);
        talk.cut();
        talk.pass(4_000);
        assert_eq!(talk.said().last().map(String::as_str), Some(WEBSOCKET));
    }
}

#[test]
fn a_server_that_is_away_says_nothing_about_transports_and_all_begin_anew() {
    let mut talk = talk();
    for _ in 0..3 {
        talk.join_over_websocket();
        talk.cut();
        talk.pass(2_000);
    }
    // Polling, without upgrade; and then nothing works.
    talk.fail();
    talk.said();
    talk.pass(4_000);
    talk.says(&["connecting over websocket (5)", WEBSOCKET]);
    talk.join_over_websocket();
    talk.cut();
    talk.said();
    talk.pass(5_000);
    talk.says(&["connecting over websocket (6)", WEBSOCKET]);
}

#[test]
fn a_websocket_that_carries_nothing_after_its_handshake_is_of_no_use() {
    let mut talk = talk();
    for delay in [1_000, 2_000] {
        talk.input(Input::WebSocketOpened);
        talk.frame(HANDSHAKE);
        talk.said();
        talk.pass(45_000);
        let waiting = format!("waiting {delay}: Unreachable");
        talk.says(&["end", &waiting]);
        talk.pass(delay);
    }
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.said();
    talk.pass(45_000);
    talk.says(&["end", "connecting over polling (4)", POLLING]);
}

/// What a middlebox does that lets the server's frames through and swallows the client's.
#[test]
fn a_websocket_that_carries_only_pings_is_of_no_use() {
    let mut talk = talk();
    for _ in 0..3 {
        talk.input(Input::WebSocketOpened);
        talk.frame(HANDSHAKE);
        talk.pass(25_000);
        talk.frame("2");
        talk.pass(20_000);
        talk.frame("2");
        talk.said();
        talk.cut();
        talk.pass(2_000);
    }
    let said = talk.said();
    assert!(said.contains(&POLLING.to_owned()), "{said:?}");
}

/// Three upgrades, after each of which the session comes to such an end.
fn is_of_no_use_after_the_upgrade(end: impl Fn(&mut Talk)) {
    let mut talk = upgrading();
    for _ in 0..3 {
        talk.input(Input::WebSocketOpened);
        talk.frame("3probe");
        talk.answer(JOINED);
        talk.posted();
        assert!(talk.said().contains(&"> 5".to_owned()));
        end(&mut talk);
        talk.said();
        talk.pass(5_000);
        talk.answer(HANDSHAKE);
    }
    let said = talk.said();
    assert!(said.contains(&POLL.to_owned()) && !said.contains(&PROBE.to_owned()), "{said:?}");
}

#[test]
fn a_websocket_that_carries_only_a_ping_after_the_upgrade_is_of_no_use() {
    is_of_no_use_after_the_upgrade(|talk| {
        talk.pass(25_000);
        talk.frame("2");
        talk.pass(20_000);
        talk.cut();
    });
}

#[test]
fn a_websocket_that_carries_nothing_after_the_upgrade_is_of_no_use() {
    is_of_no_use_after_the_upgrade(|talk| talk.pass(45_000));
}

#[test]
fn after_a_good_upgrade_the_websocket_comes_first_again() {
    let mut talk = talk();
    fall_back(&mut talk);
    talk.posted();
    talk.answer(JOINED);
    talk.input(Input::WebSocketOpened);
    talk.frame("3probe");
    talk.answer("6");
    talk.pass(PROOF);
    talk.frame("2");
    talk.frame("2");
    talk.said();
    talk.cut();
    talk.said();
    talk.pass(1_000);
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
}

#[test]
fn a_cut_right_after_the_upgrade_counts_against_the_websocket() {
    let mut talk = upgrading();
    for round in 0..4 {
        if round > 0 {
            talk.said();
            talk.answer(HANDSHAKE);
        }
        talk.posted();
        talk.answer(JOINED);
        let probed = talk.said().contains(&PROBE.to_owned());
        assert_eq!(probed, round < 3, "round {round}");
        if probed {
            talk.input(Input::WebSocketOpened);
            talk.frame("3probe");
            talk.answer("6");
            talk.cut();
            talk.pass(5_000);
        }
    }
}

#[test]
fn only_the_transports_that_are_listed_are_used() {
    let mut talk = Talk::new(config_over(Transport::Polling));
    talk.client.socket("/");
    talk.connect();
    talk.says(&["connecting over polling (1)", POLLING]);
    talk.answer(HANDSHAKE);
    talk.says(&[POLL, "POST 40"]);
    talk.posted();
    for _ in 0..20 {
        talk.pass(20_000);
        talk.answer("2");
        talk.says(&[POLL, "POST 3"]);
        talk.posted();
    }

    let mut talk = Talk::new(config_over(Transport::WebSocket));
    talk.client.socket("/");
    talk.connect();
    talk.said();
    talk.cut();
    talk.says(&["end", "waiting 1000: Unreachable"]);
}

#[test]
fn the_address_carries_path_query_and_the_safe_scheme() {
    let mut talk = Talk::new(Config {
        origin: "https://h:8443".to_owned(),
        path: "/p/".to_owned(),
        query: "a=1&b=2".to_owned(),
        ..config()
    });
    talk.connect();
    talk.says(&["connecting over websocket (1)", "open wss://h:8443/p/?EIO=4&transport=websocket&a=1&b=2"]);
    talk.cut();
    talk.says(&[
        "end",
        "connecting over polling (2)",
        "GET https://h:8443/p/?EIO=4&transport=polling&a=1&b=2",
    ]);
}
