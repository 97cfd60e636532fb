//! The goodbye over polling leaves by a beacon, which outlives the page, and by a request or a form where there is no beacon.

use crate::stub::Stub;
use crate::support::contract::Add;
use crate::support::{Inbox, client, client_over};
use encke_client_wasm::Transport;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// Beacons that are told to `told`, and sent or not.
fn beacons(told: impl Fn(String) + 'static, sent: bool) -> Stub {
    Stub::new("navigator", "sendBeacon", |original| {
        let send = move |url: JsValue, body: JsValue| {
            told(body.unchecked_ref::<js_sys::Object>().to_string().into());
            sent && original.call2(&JsValue::NULL, &url, &body).is_ok_and(|sent| sent.is_truthy())
        };
        Closure::<dyn Fn(JsValue, JsValue) -> bool>::new(send).into_js_value().unchecked_into()
    })
}

#[wasm_bindgen_test]
async fn a_goodbye_leaves_by_a_beacon_or_as_all_before_it() {
    let staying = client().connect();
    let asking = staying.socket("/");
    for (transport, said) in [(Transport::Polling, "41\u{1e}1"), (Transport::Jsonp, "d=41%1E1")] {
        for sent in [true, false] {
            let leaving = client_over(transport).connect();
            let socket = leaving.socket("/");
            socket.emit_with_ack(&Add { a: 1, b: 1 }).await.expect("the server adds");
            let id = socket.id().expect("it is in its namespace");
            let told = Inbox::new();
            let _beacons = beacons(told.slot(), sent);
            leaving.disconnect();
            assert_eq!(told.next().await, said);
            let gone = asking.emit_named_with_ack("gone", &(id,)).await.expect("it is answered");
            assert_eq!(gone.decode(), Ok(("client namespace disconnect".to_owned(),)));
        }
    }
}
