//! What is remembered of transports from one page of a tab to the next.

use crate::support::contract::Add;
use crate::support::{client, connected_over, server, states, storage};
use encke_client_wasm::{Builder, PassedOver, State, Transport, Why};
use wasm_bindgen_test::wasm_bindgen_test;

/// How a client like that connects at first, and how it ends up.
async fn story(builder: &Builder) -> (State, State) {
    let client = builder.clone().build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    client.connect();
    let first = states.next().await;
    connected_over(&states, Transport::Polling).await;
    socket.emit_with_ack(&Add { a: 1, b: 1 }).await.expect("the server adds");
    (first, client.state())
}

#[wasm_bindgen_test]
async fn a_transport_that_did_not_open_is_not_tried_by_the_next_page() {
    let builder = client().path("/no-websocket/");
    let connecting = |transport| State::Connecting { transport, attempt: 1 };
    let passed_over = vec![PassedOver { transport: Transport::WebSocket, why: Why::NotOpened }];
    let connected = State::Connected { transport: Transport::Polling, passed_over };
    assert_eq!(story(&builder).await, (connecting(Transport::WebSocket), connected.clone()));
    assert_eq!(story(&builder).await, (connecting(Transport::Polling), connected.clone()));
    storage().clear().expect("it can be cleared");
    assert_eq!(story(&builder).await, (connecting(Transport::WebSocket), connected));
}

#[wasm_bindgen_test]
async fn what_is_remembered_ends_in_time_and_what_is_no_memory_is_none() {
    let builder = client().path("/no-websocket/");
    let key = ["encke ", server(), "/no-websocket/"].concat();
    let later = (js_sys::Date::now() + 60_000.0).to_string();
    for (text, first) in [
        (["02", &*later].concat(), Transport::Polling),
        (["10 00", &*later].concat(), Transport::Polling),
        ("001".to_owned(), Transport::WebSocket),
        ("0".to_owned(), Transport::WebSocket),
        ("90 09 😀 -1".to_owned(), Transport::WebSocket),
        (["09", &*later].concat(), Transport::WebSocket),
    ] {
        storage().set_item(&key, &text).expect("there is room for it");
        assert_eq!(story(&builder).await.0, State::Connecting { transport: first, attempt: 1 }, "{text}");
    }
}
