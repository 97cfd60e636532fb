//! The engine's machines under any sequence of inputs, also such as no driver would give.

use encke_protocol::Timestamp;
use encke_protocol::engine::{CloseReason, Data, Packet, Transport, Version, client, server};
use proptest::prelude::*;

const TRANSPORTS: [Transport; 2] = [Transport::Polling, Transport::WebSocket];
/// In which a session without any sign of life is over, in milliseconds: the reference's times, and a little.
const END: u64 = 60_000;

fn packet(number: u8) -> Packet<'static> {
    match number % 11 {
        0 => Packet::Open(
            r#"{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":9}"#,
        ),
        1 => Packet::Open("{}"),
        2 => Packet::Close,
        3 => Packet::Ping("probe"),
        4 => Packet::Ping(""),
        5 => Packet::Pong("probe"),
        6 => Packet::Pong(""),
        7 => Packet::Upgrade,
        8 => Packet::Noop,
        _ => Packet::Message(Data::Text("x")),
    }
}

fn server_input(kind: u8, number: u8) -> server::Input<'static> {
    use server::Input;
    let transport = TRANSPORTS[usize::from(number / 11 % 2)];
    match kind {
        0 => Input::PollOpened,
        1 => Input::PollEnded,
        2 => Input::PostOpened,
        3 => Input::PostEnded,
        4 => Input::WebSocketOpened,
        5 => Input::ReadingPaused,
        6 => Input::ReadingResumed,
        7 => Input::GoodbyeWritten,
        8 => match number {
            0..40 => Input::RequestLost,
            40..80 => Input::Malformed(transport),
            80..120 => Input::WebSocketClosed(CloseReason::TransportClose),
            120..160 => Input::Close(CloseReason::ForcedClose),
            _ => Input::Timeout,
        },
        9 => Input::Timeout,
        _ => Input::Packet(transport, packet(number)),
    }
}

fn client_input(kind: u8, number: u8) -> client::Input<'static> {
    use client::Input;
    let transport = TRANSPORTS[usize::from(number / 11 % 2)];
    match kind {
        0 | 1 => Input::PollEnded,
        2 => Input::PostEnded,
        3 => Input::WebSocketOpened,
        4 => match number {
            0..40 => Input::Malformed(transport),
            40..80 => Input::TransportClosed(transport, CloseReason::TransportClose),
            80..120 => Input::Close(CloseReason::ForcedClose),
            _ => Input::Timeout,
        },
        5 => Input::Timeout,
        _ => Input::Packet(transport, packet(number)),
    }
}

fn steps() -> impl Strategy<Value = Vec<(u8, u8, u64)>> {
    let pause = prop_oneof![4 => Just(0), 2 => 0..200_u64, 1 => 0..30_000_u64];
    prop::collection::vec((0..16_u8, any::<u8>(), pause), 0..60)
}

macro_rules! survives {
    ($name:ident, $role:ident, $input:ident, $config:expr) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 2_000.max(ProptestConfig::default().cases), ..ProptestConfig::default() })]

            #[test]
            fn $name(steps in steps(), websocket in any::<bool>()) {
                let transport = TRANSPORTS[usize::from(websocket)];
                let mut now = Timestamp::default();
                let mut session = $role::Session::new(now, $config, transport);
                let mut closed = false;
                for (kind, number, pause) in steps {
                    now = now.after(pause);
                    let before = format!("{session:?}");
                    match session.handle_input(now, $input(kind, number)) {
                        Err(_) => prop_assert_eq!(format!("{session:?}"), before, "what is refused changes nothing"),
                        Ok(event) => {
                            prop_assert!(!closed || event.is_none(), "nothing follows the end: {:?}", event);
                            closed |= matches!(event, Some($role::Event::Closed(_)));
                        }
                    }
                    let outputs = std::iter::from_fn(|| session.poll_output()).count();
                    prop_assert!(outputs <= 8, "no output is due twice");
                    prop_assert_eq!(session.transport().is_none(), closed);
                    // A client of v3 is not judged while nothing is read, and is told nothing by itself.
                    let rests = format!("{session:?}").contains("Unheard");
                    prop_assert!(closed || rests || session.next_deadline().is_some(), "what lives waits for something");
                }
                // With nothing but its own timer, it ends.
                session.handle_input(now, $role::Input::Close(CloseReason::ForcedClose)).expect("always possible");
                for _ in 0..1_000 {
                    std::iter::from_fn(|| session.poll_output()).for_each(drop);
                    let Some(deadline) = session.next_deadline() else { break };
                    prop_assert!(deadline.since(now) <= END);
                    session.handle_input(deadline, $role::Input::Timeout).expect("always possible");
                }
                prop_assert_eq!(session.next_deadline(), None);
            }
        }
    };
}

survives!(the_server_survives_any_inputs, server, server_input, server::Config::default());
survives!(the_server_survives_any_inputs_of_v3, server, server_input, of_v3());
survives!(the_client_survives_any_inputs, client, client_input, client::Config::default());

fn of_v3() -> server::Config {
    server::Config { version: Version::V3, ..server::Config::default() }
}
