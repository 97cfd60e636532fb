//! Conversations with the client's side of a session.

use super::conversation::{
    Client, PING_INTERVAL, PING_TIMEOUT, POLLING, UPGRADE_TIMEOUT, WEBSOCKET, message,
};
use encke_protocol::engine::client::{Config, Event, Input, Output};
use encke_protocol::engine::{CloseReason, Data, Packet, ProtocolError, Upgrades};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const PROBE_ANSWER: Input<'static> = Input::Packet(WEBSOCKET, Packet::Pong("probe"));
const OPEN_TIMEOUT: u64 = 20_000;
/// After so much silence the server is gone.
const PATIENCE: u64 = PING_INTERVAL + PING_TIMEOUT;

/// A polling session that waits in its second poll.
fn polling(upgrades: Upgrades) -> Client {
    let mut client = Client::new(POLLING);
    client.opens(POLLING, upgrades).quietly(Input::PollEnded);
    match upgrades {
        Upgrades::None => client.asks_for(&[Output::Poll]),
        Upgrades::WebSocket => client.asks_for(&[Output::OpenWebSocket, Output::Poll]),
    };
    client
}

/// A polling session whose WebSocket has been sent the probe.
fn probing() -> Client {
    let mut client = polling(Upgrades::WebSocket);
    client.quietly(Input::WebSocketOpened).asks_for(&[Output::Probe]);
    client
}

fn websocket() -> Client {
    let mut client = Client::new(WEBSOCKET);
    client.quietly(Input::WebSocketOpened).asks_for(&[]).opens(WEBSOCKET, Upgrades::None).asks_for(&[]);
    client
}

#[test]
fn nothing_is_writable_before_the_handshake() {
    for transport in [POLLING, WEBSOCKET] {
        let mut client = Client::new(transport);
        client.writes_on(None, Some(transport));
        assert!(!client.session.is_open());
        client.opens(transport, Upgrades::None).writes_on(Some(transport), Some(transport));
        assert!(client.session.is_open());
    }
}

#[test]
fn polls_follow_each_other() {
    let mut client = polling(Upgrades::None);
    for _ in 0..3 {
        client.quietly(Input::Packet(POLLING, Packet::Noop)).asks_for(&[]);
        client.quietly(Input::PollEnded).asks_for(&[Output::Poll]);
    }
}

#[test]
fn one_post_is_under_way_at_a_time() {
    let mut client = polling(Upgrades::None);
    client.writes_on(Some(POLLING), Some(POLLING));
    client.session.post_started();
    client.writes_on(None, Some(POLLING));
    // The polls go on meanwhile.
    client.quietly(Input::PollEnded).asks_for(&[Output::Poll]).writes_on(None, Some(POLLING));
    client.quietly(Input::PostEnded).asks_for(&[]).writes_on(Some(POLLING), Some(POLLING));
}

#[test]
fn a_server_that_does_not_open_the_session_in_time_is_given_up() {
    for transport in [POLLING, WEBSOCKET] {
        let mut client = Client::new(transport);
        client.waits_until(OPEN_TIMEOUT).at(OPEN_TIMEOUT - 1).quietly(Input::Timeout);
        client.at(OPEN_TIMEOUT).closes(Input::Timeout, CloseReason::TransportError);
        client.asks_for(&[Output::Drop]).is_over();
    }
}

#[test]
fn a_session_begins_with_a_handshake_and_nothing_else() {
    for packet in [message("x"), Packet::Open("{}"), Packet::Ping(""), Packet::Noop, Packet::Close] {
        let mut client = Client::new(POLLING);
        client.closes(Input::Packet(POLLING, packet), CloseReason::ParseError);
        client.asks_for(&[Output::Drop]).is_over();
    }
}

#[test]
fn pings_are_answered() {
    for (mut client, transport) in [(polling(Upgrades::None), POLLING), (websocket(), WEBSOCKET)] {
        client.quietly(Input::Packet(transport, Packet::Ping(""))).asks_for(&[Output::Pong]);
    }
}

#[test]
fn any_packet_is_a_sign_of_life_and_silence_is_none() {
    let mut client = websocket();
    client.waits_until(PATIENCE);
    for (at, packet) in [(10_000, Packet::Ping("")), (50_000, message("x")), (90_000, Packet::Noop)] {
        client.at(at).hear(Input::Packet(WEBSOCKET, packet)).expect("a packet");
        client.waits_until(at + PATIENCE);
    }
    client.asks_for(&[Output::Pong]);
    client.at(90_000 + PATIENCE).closes(Input::Timeout, CloseReason::PingTimeout);
    client.asks_for(&[Output::Drop]).is_over();
}

#[test]
fn packets_that_only_clients_send_end_the_session() {
    for packet in [Packet::Open("{}"), Packet::Pong(""), Packet::Upgrade] {
        let mut client = websocket();
        client.closes(Input::Packet(WEBSOCKET, packet), CloseReason::ParseError);
        client.asks_for(&[Output::Drop]).is_over();
    }
    let mut client = polling(Upgrades::None);
    client.closes(Input::Malformed(POLLING), CloseReason::ParseError).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn the_server_ends_the_session() {
    let mut client = polling(Upgrades::None);
    client.closes(Input::Packet(POLLING, Packet::Close), CloseReason::TransportClose);
    client.asks_for(&[Output::Drop]).quietly(Input::PollEnded).is_over();
    client.refuses(Input::Packet(POLLING, message("late")), ProtocolError::Closed);

    let mut client = websocket();
    let closed = Input::TransportClosed(WEBSOCKET, CloseReason::TransportClose);
    client.closes(closed, CloseReason::TransportClose).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_request_that_fails_ends_the_session() {
    let mut client = polling(Upgrades::WebSocket);
    let failed = Input::TransportClosed(POLLING, CloseReason::TransportError);
    client.closes(failed, CloseReason::TransportError).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn this_side_ends_the_session() {
    for mut client in [polling(Upgrades::WebSocket), websocket()] {
        client.closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
        client.asks_for(&[Output::Goodbye, Output::Drop]).is_over();
    }
    // Who has not been greeted says no goodbye.
    let mut client = Client::new(POLLING);
    client.closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
    client.asks_for(&[Output::Drop]).is_over();
}

#[test]
fn an_upgrade_goes_step_by_step() {
    let mut client = Client::new(POLLING);
    client.opens(POLLING, Upgrades::WebSocket).asks_for(&[Output::OpenWebSocket]);
    client.waits_until(UPGRADE_TIMEOUT).quietly(Input::PollEnded).asks_for(&[Output::Poll]);
    client.quietly(Input::WebSocketOpened).asks_for(&[Output::Probe]).writes_on(Some(POLLING), Some(POLLING));
    client.quietly(PROBE_ANSWER).asks_for(&[]).writes_on(None, Some(POLLING));
    // What the last poll brings comes before anything of the WebSocket.
    let event = client.hear(Input::Packet(POLLING, message("x")));
    assert_eq!(event, Ok(Some(Event::Message(Data::Text("x")))));
    assert_eq!(client.hear(Input::PollEnded), Ok(Some(Event::Upgraded)));
    client.asks_for(&[Output::Upgrade]).writes_on(Some(WEBSOCKET), Some(WEBSOCKET)).waits_until(PATIENCE);
    client.refuses(Input::Packet(POLLING, message("x")), ProtocolError::WrongTransport);
    client.quietly(Input::TransportClosed(POLLING, CloseReason::TransportError)).asks_for(&[]);
}

#[test]
fn an_upgrade_waits_for_the_poll_and_the_post_in_either_order() {
    for first in [Input::PollEnded, Input::PostEnded] {
        let second = if let Input::PollEnded = first { Input::PostEnded } else { Input::PollEnded };
        let mut client = probing();
        client.session.post_started();
        client.quietly(PROBE_ANSWER).quietly(first).asks_for(&[]).writes_on(None, Some(POLLING));
        assert_eq!(client.hear(second), Ok(Some(Event::Upgraded)));
        client.asks_for(&[Output::Upgrade]);
    }
}

#[test]
fn a_ping_that_comes_with_the_last_poll_is_answered_over_the_websocket() {
    let mut client = probing();
    client.quietly(PROBE_ANSWER).quietly(Input::Packet(POLLING, Packet::Ping(""))).asks_for(&[Output::Pong]);
    client.writes_on(None, Some(POLLING));
    client.hear(Input::PollEnded).expect("the upgrade");
    client.asks_for(&[Output::Upgrade]).writes_on(Some(WEBSOCKET), Some(WEBSOCKET));
}

#[test]
fn no_upgrade_is_tried_where_none_is_offered_or_wanted() {
    polling(Upgrades::None).waits_until(PATIENCE);
    let mut client = Client::with(Config { upgrade: false, ..Config::default() }, POLLING);
    client.opens(POLLING, Upgrades::WebSocket).asks_for(&[]);
    let mut client = Client::new(WEBSOCKET);
    client.opens(WEBSOCKET, Upgrades::WebSocket).asks_for(&[]);
}

#[test]
fn a_probe_that_fails_leaves_polling_alone() {
    let failures = [
        Input::Packet(WEBSOCKET, Packet::Pong("")),
        Input::Packet(WEBSOCKET, Packet::Close),
        Input::Packet(WEBSOCKET, message("x")),
        Input::Malformed(WEBSOCKET),
        Input::TransportClosed(WEBSOCKET, CloseReason::TransportError),
    ];
    for failure in failures {
        let mut client = probing();
        client.quietly(failure).asks_for(&[Output::CloseProbe]).writes_on(Some(POLLING), Some(POLLING));
        client.quietly(Input::PollEnded).asks_for(&[Output::Poll]).waits_until(PATIENCE);
        // What still comes of it is nothing.
        client.quietly(PROBE_ANSWER).quietly(Input::WebSocketOpened).quietly(Input::Malformed(WEBSOCKET));
        client.quietly(Input::TransportClosed(WEBSOCKET, CloseReason::TransportClose)).asks_for(&[]);
    }
}

#[test]
fn an_upgrade_that_fails_at_its_last_step_starts_polling_again() {
    let failures = [
        Input::Packet(WEBSOCKET, Packet::Noop),
        Input::Malformed(WEBSOCKET),
        Input::TransportClosed(WEBSOCKET, CloseReason::TransportClose),
    ];
    for failure in failures {
        // The POST is still under way, the poll has ended.
        let mut client = probing();
        client.session.post_started();
        client.quietly(PROBE_ANSWER).quietly(Input::PollEnded).asks_for(&[]).quietly(failure);
        client.asks_for(&[Output::Poll, Output::CloseProbe]).writes_on(None, Some(POLLING));
        client.quietly(Input::PostEnded).asks_for(&[]).writes_on(Some(POLLING), Some(POLLING));
    }
}

#[test]
fn an_upgrade_that_takes_too_long_is_given_up() {
    let mut silent = polling(Upgrades::WebSocket);
    silent.at(UPGRADE_TIMEOUT).quietly(Input::Timeout).asks_for(&[Output::CloseProbe]).waits_until(PATIENCE);

    let mut pausing = probing();
    pausing.session.post_started();
    pausing.quietly(PROBE_ANSWER).quietly(Input::PollEnded).asks_for(&[]).waits_until(UPGRADE_TIMEOUT);
    pausing.at(UPGRADE_TIMEOUT).quietly(Input::Timeout).asks_for(&[Output::Poll, Output::CloseProbe]);
}

#[test]
fn a_session_that_ends_during_an_upgrade_tells_once() {
    let mut client = probing();
    client.quietly(PROBE_ANSWER).closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
    client.asks_for(&[Output::Goodbye, Output::Drop]).quietly(Input::PollEnded).quietly(PROBE_ANSWER_LATE);
    client.is_over();
}

/// The driver has ended that WebSocket, and is told so by the browser.
const PROBE_ANSWER_LATE: Input<'static> = Input::TransportClosed(WEBSOCKET, CloseReason::TransportClose);
