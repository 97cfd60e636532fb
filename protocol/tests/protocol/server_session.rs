//! Conversations with the server's side of a session.

use super::conversation::{
    PING_INTERVAL, PING_TIMEOUT, POLLING, Server, UPGRADE_TIMEOUT, WEBSOCKET, message,
};
use encke_protocol::engine::server::{Config, Event, Input, Output};
use encke_protocol::engine::{CloseReason, Data, Packet, ProtocolError, Upgrades, Version};

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const PROBE: Input<'static> = Input::Packet(WEBSOCKET, Packet::Ping("probe"));
const UPGRADE: Input<'static> = Input::Packet(WEBSOCKET, Packet::Upgrade);
/// How long a closed session waits to hand over what is left.
const LINGER: u64 = 5_000;

/// A polling session whose handshake is answered.
fn polling() -> Server {
    let mut server = Server::new(POLLING);
    server.quietly(Input::PollOpened).quietly(Input::PollEnded).asks_for(&[]);
    server
}

/// A polling session with a WebSocket whose probe is answered.
fn probed() -> Server {
    let mut server = polling();
    server.quietly(Input::WebSocketOpened).quietly(PROBE).asks_for(&[Output::AnswerProbe]);
    server
}

#[test]
fn a_poll_makes_polling_writable_and_its_answer_ends_that() {
    let mut server = Server::new(POLLING);
    server.writes_on(None, Some(POLLING));
    server.quietly(Input::PollOpened).writes_on(Some(POLLING), Some(POLLING));
    server.quietly(Input::PollEnded).writes_on(None, Some(POLLING));
}

#[test]
fn a_websocket_session_is_writable_at_once() {
    Server::new(WEBSOCKET).writes_on(Some(WEBSOCKET), Some(WEBSOCKET)).asks_for(&[]);
}

#[test]
fn messages_come_out_as_they_came_in() {
    for transport in [POLLING, WEBSOCKET] {
        let mut server = Server::new(transport);
        for data in [Data::Text("hello"), Data::Text(""), Data::Binary((&[1, 2][..]).into())] {
            let event = server.hear(Input::Packet(transport, Packet::Message(data.clone())));
            assert_eq!(event, Ok(Some(Event::Message(data))));
        }
        server.quietly(Input::Packet(transport, Packet::Noop)).asks_for(&[]);
    }
}

#[test]
fn two_polls_at_once_end_the_session() {
    let mut server = Server::new(POLLING);
    server.quietly(Input::PollOpened);
    server.closes(Input::PollOpened, CloseReason::TransportError).asks_for(&[Output::Drop]).is_over();
    server.refuses(Input::PollOpened, ProtocolError::Closed);
}

#[test]
fn two_posts_at_once_end_the_session() {
    let mut server = polling();
    server.quietly(Input::PostOpened).quietly(Input::PostEnded).quietly(Input::PostOpened);
    server.closes(Input::PostOpened, CloseReason::TransportError).asks_for(&[Output::Drop]).is_over();
    server.refuses(Input::PostOpened, ProtocolError::Closed);
}

#[test]
fn a_poll_and_a_post_at_once_are_the_normal_case() {
    let mut server = polling();
    server.quietly(Input::PollOpened).quietly(Input::PostOpened).quietly(Input::PostEnded).asks_for(&[]);
}

#[test]
fn a_request_that_is_lost_ends_a_polling_session() {
    let mut server = polling();
    server.quietly(Input::PollOpened);
    server.closes(Input::RequestLost, CloseReason::TransportError).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_request_that_is_lost_is_nothing_to_a_websocket_session() {
    Server::new(WEBSOCKET)
        .quietly(Input::RequestLost)
        .asks_for(&[])
        .writes_on(Some(WEBSOCKET), Some(WEBSOCKET));
}

#[test]
fn the_client_ends_the_session_by_a_packet() {
    for transport in [POLLING, WEBSOCKET] {
        let mut server = Server::new(transport);
        server.closes(Input::Packet(transport, Packet::Close), CloseReason::TransportClose);
        server.asks_for(&[Output::Drop]).is_over();
        server.refuses(Input::Packet(transport, message("late")), ProtocolError::Closed);
    }
}

#[test]
fn a_websocket_that_closes_ends_the_session_that_it_carries() {
    let mut server = Server::new(WEBSOCKET);
    server.closes(Input::WebSocketClosed(CloseReason::TransportError), CloseReason::TransportError);
    server.asks_for(&[Output::Drop]).is_over();
    server.quietly(Input::WebSocketClosed(CloseReason::TransportClose)).asks_for(&[]);
}

#[test]
fn packets_that_only_servers_send_end_the_session() {
    for packet in [Packet::Open("{}"), Packet::Ping(""), Packet::Ping("probe"), Packet::Upgrade] {
        for transport in [POLLING, WEBSOCKET] {
            let mut server = Server::new(transport);
            server.closes(Input::Packet(transport, packet.clone()), CloseReason::ParseError);
            server.asks_for(&[Output::Drop]).is_over();
        }
    }
}

#[test]
fn what_is_no_packet_ends_the_session_once() {
    for transport in [POLLING, WEBSOCKET] {
        let mut server = Server::new(transport);
        server.closes(Input::Malformed(transport), CloseReason::ParseError).asks_for(&[Output::Drop]);
        server.refuses(Input::Malformed(transport), ProtocolError::Closed).is_over();
    }
}

#[test]
fn the_first_ping_comes_after_an_interval_and_the_next_after_the_pong() {
    let mut server = Server::new(WEBSOCKET);
    server.waits_until(PING_INTERVAL);
    server.at(PING_INTERVAL - 1).quietly(Input::Timeout).asks_for(&[]);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.waits_until(PING_INTERVAL + PING_TIMEOUT);
    server.at(PING_INTERVAL + 50).quietly(Input::Packet(WEBSOCKET, Packet::Pong("")));
    server.waits_until(2 * PING_INTERVAL + 50).asks_for(&[]);
}

#[test]
fn a_ping_that_is_a_little_late_leaves_no_more_time_for_its_answer() {
    let mut server = Server::new(WEBSOCKET);
    server.at(PING_INTERVAL + 1_000).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.waits_until(PING_INTERVAL + PING_TIMEOUT);
    // This driver has slept, and the client cannot know.
    let mut server = Server::new(WEBSOCKET);
    server.at(PING_INTERVAL + 15_000).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.waits_until(PING_INTERVAL + 15_000 + PING_TIMEOUT);
}

#[test]
fn a_pong_that_nobody_asked_for_does_not_put_the_heartbeat_off() {
    let mut server = Server::new(WEBSOCKET);
    server.at(20_000).quietly(Input::Packet(WEBSOCKET, Packet::Pong(""))).waits_until(PING_INTERVAL);
}

#[test]
fn a_client_that_does_not_answer_a_ping_is_gone() {
    let mut server = Server::new(WEBSOCKET);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    // Messages are no answer: a client that sends but does not read is gone too.
    server.at(40_000).hear(Input::Packet(WEBSOCKET, message("x"))).expect("a message");
    server.at(PING_INTERVAL + PING_TIMEOUT).closes(Input::Timeout, CloseReason::PingTimeout);
    server.asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_polling_client_that_does_not_answer_a_ping_is_gone_though_its_poll_waits() {
    let mut server = polling();
    server.at(10).quietly(Input::PollOpened);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.at(PING_INTERVAL + PING_TIMEOUT).closes(Input::Timeout, CloseReason::PingTimeout);
    server.asks_for(&[Output::Drop]).is_over();
}

#[test]
fn silence_does_not_count_while_the_driver_does_not_read() {
    let mut server = Server::new(WEBSOCKET);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.at(30_000).quietly(Input::ReadingPaused);
    // The client still has to hear from the server.
    server.waits_until(30_000 + PING_INTERVAL).at(55_000).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.at(70_000).quietly(Input::ReadingResumed).waits_until(70_000 + PING_TIMEOUT);
    server.at(70_001).quietly(Input::Packet(WEBSOCKET, Packet::Pong(""))).waits_until(70_001 + PING_INTERVAL);
}

#[test]
fn a_ping_that_is_due_while_the_driver_does_not_read_is_not_judged_either() {
    let mut server = Server::new(WEBSOCKET);
    server.at(1_000).quietly(Input::ReadingPaused).waits_until(PING_INTERVAL);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.at(PING_INTERVAL + PING_TIMEOUT).quietly(Input::Timeout).asks_for(&[]);
    server.at(48_000).quietly(Input::ReadingResumed).waits_until(48_000 + PING_TIMEOUT);
    server.at(48_000 + PING_TIMEOUT).closes(Input::Timeout, CloseReason::PingTimeout);
}

#[test]
fn an_upgrade_goes_step_by_step() {
    let mut server = polling();
    server.quietly(Input::PollOpened).asks_for(&[]);
    server.at(100).quietly(Input::WebSocketOpened).asks_for(&[]).waits_until(100 + UPGRADE_TIMEOUT);
    server.quietly(PROBE).asks_for(&[Output::AnswerProbe, Output::ReleasePoll]);
    // Polling carries the session until the very end.
    server.writes_on(Some(POLLING), Some(POLLING)).quietly(Input::PollEnded).writes_on(None, Some(POLLING));
    server.quietly(UPGRADE).asks_for(&[Output::Upgrade]).writes_on(Some(WEBSOCKET), Some(WEBSOCKET));
    server.waits_until(PING_INTERVAL);
    let event = server.hear(Input::Packet(WEBSOCKET, message("x")));
    assert_eq!(event, Ok(Some(Event::Message(Data::Text("x")))));
}

#[test]
fn a_post_that_is_under_way_during_an_upgrade_is_taken() {
    let mut server = probed();
    server.quietly(Input::PostOpened);
    let event = server.hear(Input::Packet(POLLING, message("x")));
    assert_eq!(event, Ok(Some(Event::Message(Data::Text("x")))));
    server.quietly(Input::PostEnded).quietly(UPGRADE).asks_for(&[Output::Upgrade]);
}

#[test]
fn a_poll_that_comes_during_an_upgrade_is_released_and_after_a_few_only_so_often() {
    let mut server = probed();
    for _ in 0..4 {
        server.quietly(Input::PollOpened).asks_for(&[Output::ReleasePoll]).quietly(Input::PollEnded);
    }
    server.at(1_000).quietly(Input::PollOpened).asks_for(&[]).waits_until(1_100);
    server.at(1_100).quietly(Input::Timeout).asks_for(&[Output::ReleasePoll]).quietly(Input::PollEnded);
    server.waits_until(UPGRADE_TIMEOUT);
}

#[test]
fn a_poll_that_waits_when_the_upgrade_comes_is_released() {
    let mut server = probed();
    for _ in 0..4 {
        server.quietly(Input::PollOpened).asks_for(&[Output::ReleasePoll]).quietly(Input::PollEnded);
    }
    server.quietly(Input::PollOpened).quietly(UPGRADE).asks_for(&[Output::Upgrade, Output::ReleasePoll]);
    server.writes_on(Some(WEBSOCKET), Some(WEBSOCKET)).quietly(Input::PollEnded);
}

#[test]
fn requests_that_come_after_the_upgrade_are_refused_and_disturb_nothing() {
    let mut server = probed();
    server.quietly(UPGRADE).asks_for(&[Output::Upgrade]);
    server.refuses(Input::PollOpened, ProtocolError::WrongTransport);
    server.refuses(Input::PostOpened, ProtocolError::WrongTransport);
    server.refuses(Input::Packet(POLLING, message("x")), ProtocolError::WrongTransport);
    server.refuses(Input::Packet(POLLING, Packet::Close), ProtocolError::WrongTransport);
    server.refuses(Input::Malformed(POLLING), ProtocolError::WrongTransport);
    server.refuses(Input::WebSocketOpened, ProtocolError::UpgradeRefused);
    server.quietly(Input::PollEnded).quietly(Input::PostEnded).asks_for(&[]);
    server.writes_on(Some(WEBSOCKET), Some(WEBSOCKET));
}

#[test]
fn a_probing_websocket_that_says_the_wrong_thing_is_ended_and_polling_goes_on() {
    let wrong = [Packet::Ping(""), Packet::Ping("Probe"), Packet::Upgrade, message("x"), Packet::Close];
    for packet in wrong {
        let mut server = polling();
        server.quietly(Input::WebSocketOpened).quietly(Input::Packet(WEBSOCKET, packet));
        server.asks_for(&[Output::CloseProbe]).writes_on(None, Some(POLLING));
        server.quietly(Input::PollOpened).writes_on(Some(POLLING), Some(POLLING)).asks_for(&[]);
        // Another may try.
        server.quietly(Input::WebSocketOpened).quietly(PROBE);
        server.asks_for(&[Output::AnswerProbe, Output::ReleasePoll]);
    }
    let wrong = [Packet::Ping("probe"), message("x"), Packet::Noop, Packet::Pong("probe"), Packet::Close];
    for packet in wrong {
        let mut server = probed();
        server.quietly(Input::Packet(WEBSOCKET, packet)).asks_for(&[Output::CloseProbe]);
        server.refuses(UPGRADE, ProtocolError::WrongTransport).writes_on(None, Some(POLLING));
    }
    let mut server = probed();
    server.quietly(Input::Malformed(WEBSOCKET)).asks_for(&[Output::CloseProbe]);
    server.refuses(Input::Malformed(WEBSOCKET), ProtocolError::WrongTransport);
}

#[test]
fn an_upgrade_that_is_not_finished_in_time_is_given_up() {
    let mut opened = polling();
    opened.at(50).quietly(Input::WebSocketOpened).waits_until(50 + UPGRADE_TIMEOUT);
    let mut probed = polling();
    probed.at(50).quietly(Input::WebSocketOpened).at(9_000).quietly(PROBE).asks_for(&[Output::AnswerProbe]);
    for mut server in [opened, probed] {
        server.at(50 + UPGRADE_TIMEOUT).quietly(Input::Timeout).asks_for(&[Output::CloseProbe]);
        server.waits_until(PING_INTERVAL).refuses(UPGRADE, ProtocolError::WrongTransport);
        server.quietly(Input::PollOpened).asks_for(&[]).writes_on(Some(POLLING), Some(POLLING));
    }
}

#[test]
fn a_probing_websocket_that_closes_leaves_polling_alone() {
    let mut server = probed();
    server.quietly(Input::WebSocketClosed(CloseReason::TransportError)).asks_for(&[]);
    server.waits_until(PING_INTERVAL);
    server.quietly(Input::PollOpened).asks_for(&[]).writes_on(Some(POLLING), Some(POLLING));
    server.quietly(Input::WebSocketOpened).asks_for(&[]);
}

#[test]
fn one_websocket_probes_at_a_time() {
    let mut server = polling();
    server.quietly(Input::WebSocketOpened).refuses(Input::WebSocketOpened, ProtocolError::UpgradeRefused);
    server.quietly(PROBE).refuses(Input::WebSocketOpened, ProtocolError::UpgradeRefused);
    server.quietly(UPGRADE).asks_for(&[Output::AnswerProbe, Output::Upgrade]);
}

#[test]
fn no_websocket_is_taken_where_no_upgrade_is_offered() {
    let mut server = Server::with(Config { upgrades: Upgrades::None, ..Config::default() }, POLLING);
    server.refuses(Input::WebSocketOpened, ProtocolError::UpgradeRefused);
    server.refuses(PROBE, ProtocolError::WrongTransport);
}

#[test]
fn a_session_that_ends_during_an_upgrade_ends_the_probing_websocket() {
    let mut server = probed();
    server.closes(Input::Packet(POLLING, Packet::Close), CloseReason::TransportClose);
    server.asks_for(&[Output::CloseProbe, Output::Drop]).is_over();

    let mut server = polling();
    server
        .quietly(Input::WebSocketOpened)
        .closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
    server.asks_for(&[Output::Goodbye, Output::CloseProbe]);
    server.refuses(PROBE, ProtocolError::Closed).quietly(Input::PollOpened);
    server.asks_for(&[Output::ReleasePoll]).writes_on(Some(POLLING), None);
}

/// A session that this side has ended while its client may have stopped polling.
fn parted_when_probed() -> Server {
    let mut server = probed();
    server.closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
    server.asks_for(&[Output::Goodbye]);
    server
}

#[test]
fn a_client_that_has_stopped_polling_for_an_upgrade_hears_the_goodbye_on_its_websocket() {
    let mut server = parted_when_probed();
    server.quietly(UPGRADE).asks_for(&[Output::Upgrade, Output::Goodbye, Output::Drop]).is_over();

    let mut server = parted_when_probed();
    server.quietly(Input::PollOpened).asks_for(&[Output::ReleasePoll]).quietly(UPGRADE);
    server.asks_for(&[Output::Upgrade, Output::Goodbye, Output::ReleasePoll, Output::Drop]).is_over();
}

#[test]
fn a_client_that_polls_on_hears_the_goodbye_there_and_its_websocket_ends() {
    let mut server = parted_when_probed();
    server.quietly(Input::PollOpened).asks_for(&[Output::ReleasePoll]).quietly(Input::PollEnded);
    server.quietly(Input::GoodbyeWritten).asks_for(&[Output::CloseProbe, Output::Drop]).is_over();
}

#[test]
fn an_upgrade_that_a_parting_session_waits_for_may_fail() {
    let wrong = Input::Packet(WEBSOCKET, message("too early"));
    for input in [wrong, Input::Malformed(WEBSOCKET)] {
        let mut server = parted_when_probed();
        server.quietly(input).asks_for(&[Output::CloseProbe]).refuses(UPGRADE, ProtocolError::Closed);
        server.at(LINGER).quietly(Input::Timeout).asks_for(&[Output::Drop]).is_over();
    }
    let mut server = parted_when_probed();
    server.quietly(Input::WebSocketClosed(CloseReason::TransportClose)).asks_for(&[]);
    server.at(LINGER).quietly(Input::Timeout).asks_for(&[Output::Drop]).is_over();

    let mut server = parted_when_probed();
    server.at(LINGER).quietly(Input::Timeout).asks_for(&[Output::CloseProbe, Output::Drop]).is_over();
}

#[test]
fn heartbeats_go_on_during_an_upgrade() {
    let mut server = polling();
    server.at(20_000).quietly(Input::WebSocketOpened).quietly(PROBE).asks_for(&[Output::AnswerProbe]);
    server.at(PING_INTERVAL).quietly(Input::Timeout).asks_for(&[Output::Ping]);
    server.at(26_000).quietly(UPGRADE).asks_for(&[Output::Upgrade]).waits_until(PING_INTERVAL + PING_TIMEOUT);
    server.quietly(Input::Packet(WEBSOCKET, Packet::Pong(""))).waits_until(26_000 + PING_INTERVAL);
}

#[test]
fn a_websocket_session_is_over_with_its_goodbye() {
    let mut server = Server::new(WEBSOCKET);
    server.closes(Input::Close(CloseReason::ShuttingDown), CloseReason::ShuttingDown);
    server.asks_for(&[Output::Goodbye, Output::Drop]).is_over();
}

#[test]
fn a_waiting_poll_takes_the_goodbye() {
    let mut server = polling();
    server
        .quietly(Input::PollOpened)
        .closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose);
    server.asks_for(&[Output::Goodbye, Output::ReleasePoll]).writes_on(Some(POLLING), None);
    server.quietly(Input::PollEnded).quietly(Input::GoodbyeWritten).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_goodbye_waits_for_polls_until_all_before_it_is_fetched() {
    let mut server = polling();
    server.at(1_000).closes(Input::Close(CloseReason::ShuttingDown), CloseReason::ShuttingDown);
    server.asks_for(&[Output::Goodbye]).writes_on(None, None).waits_until(1_000 + LINGER);
    // One payload does not hold all.
    server
        .quietly(Input::PollOpened)
        .asks_for(&[Output::ReleasePoll])
        .quietly(Input::PollEnded)
        .asks_for(&[]);
    // What the client sends meanwhile is taken, since an error would end its session too early, and dropped.
    server
        .quietly(Input::PostOpened)
        .quietly(Input::Packet(POLLING, message("late")))
        .quietly(Input::PostEnded);
    server.quietly(Input::PollOpened).asks_for(&[Output::ReleasePoll]).writes_on(Some(POLLING), None);
    // It would take what the first is owed.
    server.refuses(Input::PollOpened, ProtocolError::Closed).writes_on(Some(POLLING), None);
    server.quietly(Input::PollEnded).quietly(Input::GoodbyeWritten).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_goodbye_that_nobody_fetches_is_dropped() {
    let mut server = polling();
    server
        .closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose)
        .asks_for(&[Output::Goodbye]);
    server.refuses(Input::WebSocketOpened, ProtocolError::Closed);
    server.quietly(Input::RequestLost).quietly(Input::Close(CloseReason::ShuttingDown)).asks_for(&[]);
    server.at(LINGER - 1).quietly(Input::Timeout).asks_for(&[]).waits_until(LINGER);
    server.at(LINGER).quietly(Input::Timeout).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_client_that_leaves_by_itself_does_not_get_a_goodbye() {
    let mut server = polling();
    server
        .closes(Input::Close(CloseReason::ForcedClose), CloseReason::ForcedClose)
        .asks_for(&[Output::Goodbye]);
    server.quietly(Input::Packet(POLLING, Packet::Close)).asks_for(&[Output::Drop]).is_over();
}

/// A session of v3.
fn of_v3(transport: encke_protocol::engine::Transport) -> Server {
    Server::with(Config { version: Version::V3, ..Config::default() }, transport)
}

#[test]
fn a_client_of_v3_pings_and_is_answered() {
    for transport in [POLLING, WEBSOCKET] {
        let mut server = of_v3(transport);
        server.waits_until(PING_INTERVAL + PING_TIMEOUT);
        server.at(20_000).quietly(Input::Packet(transport, Packet::Ping(""))).asks_for(&[Output::Pong]);
        server.waits_until(20_000 + PING_INTERVAL + PING_TIMEOUT);
        // Whatever it says is a sign of life, and it is pinged never.
        server.at(30_000).quietly(Input::Packet(transport, Packet::Noop)).asks_for(&[]);
        server.waits_until(30_000 + PING_INTERVAL + PING_TIMEOUT);
        server.at(70_000).quietly(Input::Timeout).asks_for(&[]);
        server
            .at(75_000)
            .closes(Input::Timeout, CloseReason::PingTimeout)
            .asks_for(&[Output::Drop])
            .is_over();
    }
}

#[test]
fn a_client_of_v3_answers_no_heartbeats() {
    let mut server = of_v3(WEBSOCKET);
    let pong = Input::Packet(WEBSOCKET, Packet::Pong(""));
    server.closes(pong, CloseReason::ParseError).asks_for(&[Output::Drop]).is_over();
}

#[test]
fn a_client_of_v3_is_not_judged_while_nothing_is_read() {
    let mut server = of_v3(WEBSOCKET);
    server.at(1_000).quietly(Input::ReadingPaused);
    assert_eq!(server.session.next_deadline(), None);
    server.at(1_000_000).quietly(Input::Timeout).asks_for(&[]);
    server.quietly(Input::ReadingResumed).waits_until(1_000_000 + PING_INTERVAL + PING_TIMEOUT);
}

#[test]
fn a_session_of_v3_upgrades_as_others_do() {
    let mut server = of_v3(POLLING);
    server.quietly(Input::PollOpened).quietly(Input::WebSocketOpened).quietly(PROBE);
    server.asks_for(&[Output::AnswerProbe, Output::ReleasePoll]).quietly(Input::PollEnded);
    server.quietly(UPGRADE).asks_for(&[Output::Upgrade]).writes_on(Some(WEBSOCKET), Some(WEBSOCKET));
    server.quietly(Input::Packet(WEBSOCKET, Packet::Ping(""))).asks_for(&[Output::Pong]);
}
