//! Long-polling by scripts and forms: what gets through, and what stays behind in the page, namely nothing.

use crate::support::contract::{Add, Count, Notice};
use crate::support::{
    Inbox, client, client_over, connected_over, nobody, on_page_error, server, states, until,
};
use encke_client_wasm::{Args, ArgsBuilder, Client, State, Transport};
use wasm_bindgen_test::wasm_bindgen_test;

const SUM: Add = Add { a: 1, b: 1 };

/// How many scripts, forms and frames of clients are in the page.
fn elements() -> [u32; 3] {
    let document = web_sys::window().and_then(|window| window.document()).expect("the tests run in a page");
    [
        "script[src*='transport=polling']",
        "form[action*='transport=polling']",
        "iframe[name*='transport=polling']",
    ]
    .map(|kind| document.query_selector_all(kind).expect("it can be asked for").length())
}

fn has_callbacks() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"___eio".into()).expect("the page can be asked")
}

/// Waits until no client has anything in the page.
async fn nothing_is_left() {
    until(|| elements() == [0, 0, 0] && !has_callbacks()).await;
}

#[wasm_bindgen_test]
async fn any_text_and_bytes_get_through_both_ways() {
    let client = client_over(Transport::Jsonp).connect();
    let socket = client.socket("/");
    for text in [
        "",
        "\\n \\\\n \n \r\n \\",
        "\u{1e} \u{0} \u{7f} \u{2028}\u{2029}",
        "</script><!-- <script> ]]>",
        "\"'`${x}&amp;%41+=&d=",
        "ä€😀\u{feff}\u{10ffff}",
    ] {
        let echoed = socket.emit_named_with_ack("echo", &(text,)).await.expect("the server answers");
        assert_eq!(echoed.decode(), Ok((text.to_owned(),)));
    }
    let bytes = (0..=255).collect::<Vec<u8>>();
    let args = Args::from(ArgsBuilder::new().binary(bytes.clone()));
    let echoed = socket.emit_named_with_ack("echo", &args).await.expect("the server answers");
    assert_eq!(echoed.attachments(), [bytes]);
    client.disconnect();
    nothing_is_left().await;
}

#[wasm_bindgen_test]
async fn many_messages_stay_in_order_and_leave_nothing_in_the_page() {
    let errors = Inbox::new();
    let slot = errors.slot();
    let _errors = on_page_error(move || slot(()));
    let history = web_sys::window().expect("a page").history().expect("it has one").length();
    let client = client_over(Transport::Jsonp).connect();
    let socket = client.socket("/");
    let notices = Inbox::new();
    let _notices = socket.on::<Notice, _, _>(notices.slot());
    socket.emit(&Count { to: 300 }).expect("there is room for it");
    for number in 1..=300 {
        assert_eq!(notices.next().await.number, number);
    }
    for number in 0..20 {
        assert_eq!(socket.emit_with_ack(&Add { a: number, b: 0 }).await, Ok(number));
        let [scripts, forms, frames] = elements();
        assert!(scripts <= 1 && forms <= 1 && frames == forms, "{scripts} {forms} {frames}");
    }
    client.disconnect();
    nothing_is_left().await;
    // The way back leads to the page before, not to a frame's.
    assert_eq!(web_sys::window().expect("a page").history().expect("it has one").length(), history);
    assert!(errors.is_empty());
}

#[wasm_bindgen_test]
async fn a_session_over_scripts_changes_to_a_websocket() {
    let client = client().transports(&[Transport::Jsonp, Transport::WebSocket]).connect();
    let (states, _guard) = states(&client);
    let socket = client.socket("/");
    connected_over(&states, Transport::WebSocket).await;
    assert_eq!(socket.emit_with_ack(&SUM).await, Ok(2));
    nothing_is_left().await;
}

#[wasm_bindgen_test]
async fn two_clients_in_a_page_do_not_meet() {
    let clients = [client_over(Transport::Jsonp).connect(), client_over(Transport::Jsonp).connect()];
    let sockets = clients.each_ref().map(|client| client.socket("/"));
    for number in 0..10 {
        for socket in &sockets {
            assert_eq!(socket.emit_with_ack(&Add { a: number, b: 1 }).await, Ok(number + 1));
        }
    }
    drop((clients, sockets));
    nothing_is_left().await;
}

#[wasm_bindgen_test]
async fn a_client_that_is_dropped_at_any_moment_leaves_nothing_and_no_error() {
    let errors = Inbox::new();
    let slot = errors.slot();
    let _errors = on_page_error(move || slot(()));
    // While the handshake is under way.
    drop(client_over(Transport::Jsonp).connect());
    nothing_is_left().await;
    // While a script and a form are.
    let client = client_over(Transport::Jsonp).connect();
    let socket = client.socket("/");
    socket.emit_with_ack(&SUM).await.expect("the server adds");
    socket.emit_named("silent", &()).expect("there is room for it");
    drop((client, socket));
    nothing_is_left().await;
    assert!(errors.is_empty());
}

#[wasm_bindgen_test]
async fn a_server_that_is_away_or_speaks_otherwise_has_failed_and_leaves_nothing() {
    // Nothing listens; no such path; a script that says nothing.
    for (origin, path) in [(&*nobody(), "/"), (server(), "/nowhere"), ("data:text/javascript,//nothing", "/")]
    {
        let client = Client::builder(origin).path(path).transports(&[Transport::Jsonp]).build();
        let (states, _guard) = states(&client);
        client.connect();
        states.until(|state| matches!(state, State::Waiting { .. })).await;
        nothing_is_left().await;
    }
}

#[wasm_bindgen_test]
async fn a_form_that_is_refused_or_never_answered_ends_its_session_and_leaves_nothing() {
    for path in ["/refused-forms/", "/silent-forms/"] {
        let client = client_over(Transport::Jsonp).path(path).build();
        let (states, _guard) = states(&client);
        let socket = client.socket("/");
        client.connect();
        states.until(|state| matches!(state, State::Waiting { .. })).await;
        assert!(!socket.is_connected());
        client.disconnect();
        nothing_is_left().await;
    }
}
