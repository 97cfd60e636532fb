//! Clocks that jump: machines sleep, people and time servers set them.

use crate::stub::Stub;
use crate::support::contract::Add;
use crate::support::{client, connected_over, states, tell_page};
use encke_client_wasm::{AckError, CloseReason, State, Transport, WaitReason};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const HOUR: f64 = 3_600_000.0;
const SUM: Add = Add { a: 1, b: 1 };

/// The page's clock, moved by so many milliseconds until it is dropped.
fn moved_clock(milliseconds: f64) -> Stub {
    Stub::new("Date", "now", |original| {
        let now = move || {
            let now = original.call0(&JsValue::NULL).ok().and_then(|now| now.as_f64());
            now.expect("the time is a number") + milliseconds
        };
        Closure::<dyn Fn() -> f64>::new(now).into_js_value().unchecked_into()
    })
}

#[wasm_bindgen_test]
async fn after_a_long_sleep_the_connection_is_not_trusted() {
    let client = client().connect();
    let socket = client.socket("/");
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
    let (states, _guard) = states(&client);
    let _clock = moved_clock(HOUR);
    tell_page("online");
    let state = states.next().await;
    let lost = WaitReason::Lost(CloseReason::PingTimeout);
    assert!(matches!(state, State::Waiting { reason, .. } if reason == lost), "{state:?}");
    connected_over(&states, Transport::WebSocket).await;
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
}

#[wasm_bindgen_test]
async fn a_clock_that_is_set_back_does_not_stop_the_client() {
    let client = client().connect();
    let socket = client.socket("/");
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
    let _clock = moved_clock(-HOUR);
    let silence = socket.timeout(50).emit_named_with_ack("silent", &()).await;
    assert_eq!(silence, Err(AckError::Timeout));
    assert!(socket.is_connected());
}
