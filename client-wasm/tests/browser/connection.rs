//! Coming and going: transports and what happens when one cannot be used, reconnecting, namespaces, guards.

use crate::support::contract::{Add, Count, Notice};
use crate::support::{
    EACH, Inbox, client, client_over, connected_over, is_connected_over, nobody, on_page_error, states,
    tell_page,
};
use encke_client_wasm::{
    AckError, Backoff, CloseReason, DisconnectReason, NotSent, PassedOver, Refusal, State, Transport,
    WaitReason, Why,
};
use wasm_bindgen_test::wasm_bindgen_test;

const SUM: Add = Add { a: 1, b: 1 };

#[wasm_bindgen_test]
async fn the_best_transport_is_used_first() {
    let client = client().build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    client.connect();
    assert_eq!(states.next().await, State::Connecting { transport: Transport::WebSocket, attempt: 1 });
    let connected = State::Connected { transport: Transport::WebSocket, passed_over: Vec::new() };
    assert_eq!(states.next().await, connected);
    assert!(socket.is_connected());
    assert!(socket.id().is_some());
    assert_eq!(client.state(), connected);
}

#[wasm_bindgen_test]
async fn polling_carries_when_websockets_do_not_get_through() {
    let client = client().path("/no-websocket/").build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    client.connect();
    connected_over(&states, Transport::Polling).await;
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
    let passed_over = vec![PassedOver { transport: Transport::WebSocket, why: Why::NotOpened }];
    assert_eq!(client.state(), State::Connected { transport: Transport::Polling, passed_over });
}

#[wasm_bindgen_test]
async fn polling_changes_to_a_websocket_and_nothing_is_lost_or_reordered_meanwhile() {
    let client = client().transports(&[Transport::Polling, Transport::WebSocket]).build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    let (notices, sums) = (Inbox::new(), Inbox::new());
    let _notices = socket.on::<Notice, _, _>(notices.slot());
    socket.emit(&Count { to: 500 }).expect("there is room for it");
    client.connect();
    // Over polling, unless the WebSocket was there before the namespace was joined.
    let connected = states.until(|state| matches!(state, State::Connected { .. })).await;
    for number in 0..200 {
        let slot = sums.slot();
        socket.emit_then(&Add { a: number, b: 0 }, move |sum| slot((number, sum)));
    }
    if !is_connected_over(&connected, Transport::WebSocket) {
        connected_over(&states, Transport::WebSocket).await;
    }
    for number in 200..400 {
        let slot = sums.slot();
        socket.emit_then(&Add { a: number, b: 0 }, move |sum| slot((number, sum)));
    }
    for number in 0..400 {
        assert_eq!(sums.next().await, (number, Ok(number)));
    }
    for number in 1..=500 {
        assert_eq!(notices.next().await.number, number);
    }
}

#[wasm_bindgen_test]
async fn a_server_that_is_away_is_tried_again_until_the_application_has_enough() {
    let client =
        encke_client_wasm::Client::builder(&nobody()).backoff(Backoff { min: 1, max: 1, jitter: 0 }).build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    let waiting = socket.emit_with_ack(&SUM);
    client.connect();
    let mut attempt = 0;
    for _ in 0..2 {
        for transport in [Transport::WebSocket, Transport::Polling, Transport::Jsonp] {
            attempt += 1;
            assert_eq!(states.next().await, State::Connecting { transport, attempt });
        }
        let State::Waiting { reason, .. } = states.next().await else {
            panic!("all transports have failed");
        };
        assert_eq!(reason, WaitReason::Unreachable);
    }
    client.disconnect();
    assert_eq!(waiting.await, Err(AckError::NotSent(NotSent::Closed)));
    states.until(|state| *state == State::Closed).await;
}

#[wasm_bindgen_test]
async fn an_address_that_the_browser_does_not_even_try_has_failed_at_once() {
    const HOUR: u32 = 3_600_000;
    let client = encke_client_wasm::Client::builder("http://[bad").open_timeout(HOUR).build();
    let (states, _guard) = states(&client);
    client.connect();
    states.until(|state| matches!(state, State::Waiting { .. })).await;
}

#[wasm_bindgen_test]
async fn a_connection_that_is_cut_comes_back_with_its_sockets_and_what_was_queued() {
    for transport in EACH {
        let client = client_over(transport).build();
        let (states, _guard) = states(&client);
        let socket = client.socket("/");
        let (connects, disconnects) = (Inbox::new(), Inbox::new());
        let slot = connects.slot();
        let _connects = socket.on_connect(move || slot(()));
        let _disconnects = socket.on_disconnect(disconnects.slot());
        client.connect();
        connects.next().await;
        let first = socket.id();
        socket.emit_named("cut", &()).expect("there is room for it");
        let reason = disconnects.next().await;
        assert!(matches!(reason, DisconnectReason::Session(_)), "{reason:?}");
        let State::Waiting { reason, .. } =
            states.until(|state| matches!(state, State::Waiting { .. })).await
        else {
            panic!("it waits");
        };
        assert!(matches!(
            reason,
            WaitReason::Lost(CloseReason::TransportClose | CloseReason::TransportError)
        ));
        assert!(!socket.is_connected());
        assert_eq!(socket.id(), None);
        assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
        connects.next().await;
        assert_ne!(socket.id(), first);
    }
}

#[wasm_bindgen_test]
async fn a_transport_that_is_cut_at_once_three_times_is_passed_over() {
    let client = client().build();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    let connects = Inbox::new();
    let slot = connects.slot();
    let _connects = socket.on_connect(move || slot(()));
    client.connect();
    for _ in 0..3 {
        connected_over(&states, Transport::WebSocket).await;
        connects.next().await;
        socket.emit_named("cut", &()).expect("there is room for it");
    }
    connected_over(&states, Transport::Polling).await;
}

#[wasm_bindgen_test]
async fn disconnecting_is_told_to_the_server_and_connecting_again_brings_the_sockets_back() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        let disconnects = Inbox::new();
        let _disconnects = socket.on_disconnect(disconnects.slot());
        socket.emit_with_ack(&SUM).await.expect("the server adds");
        client.disconnect();
        // Nothing is told inside a call.
        assert!(disconnects.is_empty());
        assert_eq!(disconnects.next().await, DisconnectReason::ByClient);
        assert_eq!(client.state(), State::Closed);
        assert_eq!(socket.emit(&Count { to: 1 }), Err(NotSent::Closed));
        client.connect();
        assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
    }
}

#[wasm_bindgen_test]
async fn the_server_is_told_at_once_whichever_way_a_client_goes() {
    enum Way {
        Disconnect,
        Drop,
        PageHide,
    }
    let staying = client().connect();
    let asking = staying.socket("/");
    for transport in EACH {
        for (way, reason) in [
            (Way::Disconnect, "client namespace disconnect"),
            (Way::Drop, "client namespace disconnect"),
            (Way::PageHide, "transport close"),
        ] {
            let leaving = client_over(transport).connect();
            let socket = leaving.socket("/");
            socket.emit_with_ack(&SUM).await.expect("the server adds");
            let id = socket.id().expect("it is in its namespace");
            match way {
                Way::Disconnect => leaving.disconnect(),
                Way::Drop => drop((leaving, socket)),
                Way::PageHide => {
                    // Who asks is in the same page and comes back.
                    tell_page("pagehide");
                    tell_page("pageshow");
                }
            }
            let gone = asking.emit_named_with_ack("gone", &(id,)).await.expect("it is answered");
            assert_eq!(gone.decode(), Ok((reason.to_owned(),)));
        }
    }
}

#[wasm_bindgen_test]
async fn what_was_emitted_right_before_disconnecting_still_arrives() {
    for transport in EACH {
        let (leaving, staying) = (client_over(transport).connect(), client_over(EACH[0]).connect());
        let (speaker, listener) = (leaving.socket("/"), staying.socket("/"));
        let heard = Inbox::new();
        let slot = heard.slot();
        let name = js_sys::Math::random().to_string();
        let _guard = listener.on_named("shout", move |args, _| slot(args.decode::<(String, u32)>()));
        listener.emit_with_ack(&SUM).await.expect("the server adds");
        speaker.emit_with_ack(&SUM).await.expect("the server adds");
        // Over polling the first leaves by a POST, and the others have to wait for it.
        for number in 1..=5 {
            speaker.emit_named("shout", &(&name, number)).expect("there is room for it");
        }
        leaving.disconnect();
        for number in 1..=5 {
            let said = Ok((name.clone(), number));
            heard.until(|heard| *heard == said).await.expect("it is what was said");
        }
    }
}

#[wasm_bindgen_test]
async fn a_namespace_that_refuses_says_why_and_leaves_the_others_alone() {
    for transport in EACH {
        let client = client_over(transport).build();
        let (refused, main) = (client.socket("/refused"), client.socket("/"));
        let refusals = Inbox::new();
        let slot = refusals.slot();
        let _refusals = refused.on_refused(move |refusal| slot(refusal.clone()));
        let queued = refused.emit_named_with_ack("echo", &());
        client.connect();
        let refusal = Refusal { message: "go away".to_owned(), data: Some(r#"{"code":7}"#.to_owned()) };
        assert_eq!(refusals.next().await, refusal);
        assert_eq!(queued.await, Err(AckError::NotSent(NotSent::Closed)));
        assert_eq!(main.emit_with_ack(&SUM).await, Ok(2));
        refused.join();
        assert_eq!(refusals.next().await, refusal);
    }
}

#[wasm_bindgen_test]
async fn a_socket_that_was_refused_may_join_with_another_auth() {
    #[derive(serde::Serialize)]
    struct Auth {
        token: &'static str,
    }
    let client = client().build();
    let socket = client.socket("/auth");
    socket.set_auth(&Auth { token: "wrong" }).expect("it can be written");
    let (refusals, connects) = (Inbox::new(), Inbox::new());
    let slot = refusals.slot();
    let _refusals = socket.on_refused(move |_| slot(()));
    let slot = connects.slot();
    let _connects = socket.on_connect(move || slot(()));
    client.connect();
    refusals.next().await;
    socket.set_auth(&Auth { token: "right" }).expect("it can be written");
    socket.join();
    connects.next().await;
}

#[wasm_bindgen_test]
async fn a_name_that_no_namespace_can_have_is_refused() {
    let client = client().connect();
    let socket = client.socket("/a,b");
    let refusals = Inbox::new();
    let slot = refusals.slot();
    let _refusals = socket.on_refused(move |_| slot(()));
    refusals.next().await;
    assert_eq!(socket.emit_named("echo", &()), Err(NotSent::Closed));
}

#[wasm_bindgen_test]
async fn namespaces_share_a_connection_and_are_left_one_by_one() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let (main, second) = (client.socket("/"), client.socket("/second"));
        assert!(second.emit_named_with_ack("echo", &("x",)).await.is_ok());
        assert!(main.emit_with_ack(&SUM).await.is_ok());
        let disconnects = Inbox::new();
        let _disconnects = second.on_disconnect(disconnects.slot());
        second.leave();
        assert_eq!(disconnects.next().await, DisconnectReason::ByClient);
        assert!(!second.is_connected());
        assert!(main.emit_with_ack(&SUM).await.is_ok());
        second.join();
        assert!(second.emit_named_with_ack("echo", &("x",)).await.is_ok());
    }
}

#[wasm_bindgen_test]
async fn a_socket_that_the_server_puts_out_stays_out_until_it_joins() {
    let client = client().connect();
    let socket = client.socket("/");
    let disconnects = Inbox::new();
    let _disconnects = socket.on_disconnect(disconnects.slot());
    socket.emit_named("kick", &()).expect("there is room for it");
    assert_eq!(disconnects.next().await, DisconnectReason::ByServer);
    assert_eq!(socket.emit(&Count { to: 1 }), Err(NotSent::Closed));
    socket.join();
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
}

#[wasm_bindgen_test]
async fn a_handler_is_called_until_its_guard_is_dropped_and_once_is_once() {
    let client = client().connect();
    let socket = client.socket("/");
    let (always, dropped, once, kept) = (Inbox::new(), Inbox::new(), Inbox::new(), Inbox::new());
    let _always = socket.on::<Notice, _, _>(always.slot());
    let guard = socket.on::<Notice, _, _>(dropped.slot());
    let _once = socket.once::<Notice, _, _>(once.slot());
    socket.on::<Notice, _, _>(kept.slot()).keep();
    socket.emit(&Count { to: 2 }).expect("there is room for it");
    for inbox in [&always, &dropped, &kept] {
        assert_eq!((inbox.next().await.number, inbox.next().await.number), (1, 2));
    }
    drop(guard);
    socket.emit(&Count { to: 1 }).expect("there is room for it");
    assert_eq!((always.next().await.number, kept.next().await.number), (1, 1));
    assert!(dropped.is_empty());
    assert_eq!(once.next().await.number, 1);
    assert!(once.is_empty());
}

#[wasm_bindgen_test]
async fn a_handler_may_take_itself_and_others_off_and_add_more() {
    use std::cell::RefCell;
    use std::rc::Rc;
    let client = client().connect();
    let socket = client.socket("/");
    let (first, second, third) = (Inbox::new(), Inbox::new(), Inbox::new());
    let guards = Rc::new(RefCell::new(Vec::new()));
    let (held, adding, slot, later) = (guards.clone(), socket.clone(), first.slot(), Rc::new(third.slot()));
    let taking = socket.on(move |notice: Notice| {
        slot(notice.number);
        let taken = held.take();
        drop(taken);
        let later = later.clone();
        let added = adding.on(move |notice: Notice| later(notice.number));
        held.borrow_mut().push(added);
    });
    let slot = second.slot();
    let other = socket.on(move |notice: Notice| slot(notice.number));
    guards.borrow_mut().extend([taking, other]);
    socket.emit(&Count { to: 2 }).expect("there is room for it");
    assert_eq!(first.next().await, 1);
    assert_eq!(third.next().await, 2);
    assert!(first.is_empty());
    assert!(second.is_empty());
}

#[wasm_bindgen_test]
async fn nothing_is_heard_and_nothing_runs_after_the_last_handle_is_dropped() {
    // What JavaScript calls although it is freed is reported here.
    let errors = Inbox::new();
    let slot = errors.slot();
    let _errors = on_page_error(move || slot(()));
    let watching = client().connect();
    let watcher = watching.socket("/");
    watcher.emit_with_ack(&SUM).await.expect("the server adds");
    for transport in EACH {
        let heard = Inbox::new();
        let gone = {
            let client = client_over(transport).connect();
            let socket = client.socket("/");
            socket.on::<Notice, _, _>(heard.slot()).keep();
            let alive = std::rc::Rc::new(());
            let (weak, held) = (std::rc::Rc::downgrade(&alive), alive);
            socket.on_named("shout", move |_, _| drop(held.clone())).keep();
            socket.emit_with_ack(&SUM).await.expect("the server adds");
            weak
        };
        // What its handlers had captured is freed.
        assert!(gone.upgrade().is_none());
        watcher.emit(&Notice { number: 1, text: String::new() }).expect("there is room for it");
        watcher.emit_with_ack(&SUM).await.expect("the server adds");
        assert!(heard.is_empty());
        for name in ["online", "pageshow"] {
            tell_page(name);
        }
        assert!(errors.is_empty());
    }
}

#[wasm_bindgen_test]
async fn a_page_that_is_left_lets_go_and_one_that_comes_back_connects_again() {
    for transport in EACH {
        let client = client_over(transport).connect();
        let socket = client.socket("/");
        socket.emit_with_ack(&SUM).await.expect("the server adds");
        let (states, _guard) = states(&client);
        tell_page("pagehide");
        assert_eq!(states.next().await, State::Paused);
        let queued = socket.emit_with_ack(&SUM);
        tell_page("pageshow");
        assert_eq!(queued.await, Ok(2));
        connected_over(&states, transport).await;
        client.disconnect();
        states.until(|state| *state == State::Closed).await;
        // Who has been disconnected by the application stays so.
        tell_page("pagehide");
        tell_page("pageshow");
        assert_eq!(client.state(), State::Closed);
    }
}

#[wasm_bindgen_test]
async fn a_network_that_is_back_ends_the_wait() {
    let client = client().backoff(Backoff { min: 3_600_000, max: 3_600_000, jitter: 0 }).connect();
    let socket = client.socket("/");
    let (states, _guard) = states(&client);
    socket.emit_named("cut", &()).expect("there is room for it");
    states.until(|state| matches!(state, State::Waiting { .. })).await;
    tell_page("online");
    connected_over(&states, Transport::WebSocket).await;
}
