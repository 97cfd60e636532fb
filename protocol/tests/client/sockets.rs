//! Sockets in their namespaces: joining, leaving, being refused, being put out.

#[cfg(target_arch = "wasm32")]
use crate::test;

use crate::talk::{HANDSHAKE, JOINED, POLL, Talk, WEBSOCKET, config_over};
use encke_protocol::client::Transport;
use encke_protocol::client::{Emit, Input, NotSent, SocketId};
use encke_protocol::socket::Args;

fn emit(talk: &mut Talk, socket: SocketId) -> Result<(), NotSent> {
    let emit = Emit { name: "a".into(), args: Args::default(), volatile: false, ack: None };
    talk.try_emit(socket, emit).map_err(|error| error.reason)
}

#[test]
fn namespaces_share_a_session_and_each_hears_its_own() {
    let (mut talk, main) = Talk::joined(Transport::WebSocket);
    let other = talk.client.socket("/other");
    talk.says(&["> 40/other,"]);
    assert!(talk.client.is_joined(main) && !talk.client.is_joined(other));
    talk.emit(other, "early");
    talk.emit(main, "a");
    talk.says(&[r#"> 42["a"]"#]);
    talk.frame(r#"40/other,{"sid":"b"}"#);
    talk.says(&["1 joined", r#"> 42/other,["early"]"#]);
    assert_eq!((talk.client.sid(main), talk.client.sid(other)), (Some("a"), Some("b")));
    talk.frame(r#"42/other,["x"]"#);
    talk.frame(r#"42["y"]"#);
    talk.frame(r#"42/third,["z"]"#);
    talk.says(&["1 hears x ", "0 hears y "]);
    assert_eq!(talk.client.socket("/other"), other);
    talk.says(&[]);
}

#[test]
fn auth_goes_with_each_join_and_may_change_in_between() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.client.set_auth(socket, Some(r#"{"token":1}"#.to_owned()));
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.frame(HANDSHAKE);
    talk.says(&[r#"> 40{"token":1}"#]);
    talk.frame(JOINED);
    // Asking for the same socket elsewhere changes nothing.
    talk.client.socket("/");
    talk.cut();
    talk.pass(1_000);
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.frame(HANDSHAKE);
    talk.says(&[r#"> 40{"token":1}"#]);
    talk.client.set_auth(socket, Some(r#"{"token":2}"#.to_owned()));
    talk.cut();
    talk.pass(2_000);
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.frame(HANDSHAKE);
    talk.says(&[r#"> 40{"token":2}"#]);
}

#[test]
fn a_socket_that_is_refused_asks_again_only_when_it_is_told_to() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.said();
    talk.frame(r#"44{"message":"no","data":{"code":7}}"#);
    talk.says(&["connected over websocket", r#"0 refused: no {"code":7}"#]);
    assert_eq!(emit(&mut talk, socket), Err(NotSent::Closed));
    talk.client.join(socket);
    talk.says(&["> 40"]);
    assert_eq!(emit(&mut talk, socket), Ok(()));
    talk.frame(JOINED);
    talk.says(&["0 joined", r#"> 42["a"]"#]);
}

#[test]
fn a_client_whose_sockets_have_all_left_rests_until_one_joins() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.client.leave(socket);
    talk.said();
    talk.pass(5_000);
    talk.cut();
    talk.says(&["end", "idle"]);
    talk.input(Input::RetryNow);
    talk.pass(1_000_000);
    talk.says(&[]);
    talk.client.join(socket);
    assert_eq!(emit(&mut talk, socket), Ok(()));
    talk.pass(0);
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
    talk.join_over_websocket_with(r#"> 42["a"]"#);
}

#[test]
fn a_client_whose_last_socket_leaves_during_a_wait_rests_when_it_is_over() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.pass(5_000);
    talk.cut();
    talk.client.leave(socket);
    talk.said();
    talk.pass(1_000);
    talk.says(&["idle"]);
    talk.connect();
    talk.says(&["connecting over websocket (1)", WEBSOCKET]);
}

#[test]
fn what_is_queued_without_ack_is_told_as_dropped_when_the_server_refuses_or_puts_out() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.emit(socket, "a");
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.said();
    talk.frame(r#"44{"message":"no"}"#);
    talk.says(&["connected over websocket", "0 refused: no ", "0 dropped"]);

    let (mut talk, socket) = Talk::joined(Transport::Polling);
    talk.emit(socket, "sent");
    talk.emit(socket, "queued");
    talk.said();
    talk.answer("41");
    talk.says(&["0 left: io server disconnect", "0 dropped", POLL]);
}

#[test]
fn a_socket_that_is_put_out_stays_out_until_it_is_told_to_join() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.frame("41");
    talk.says(&["0 left: io server disconnect"]);
    assert_eq!(emit(&mut talk, socket), Err(NotSent::Closed));
    assert_eq!(talk.client.sid(socket), None);
    talk.frame(r#"42["a"]"#);
    talk.says(&[]);
    talk.client.join(socket);
    talk.says(&["> 40"]);
}

#[test]
fn a_socket_that_leaves_hears_nothing_more() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.client.leave(socket);
    talk.says(&["0 left: io client disconnect", "> 41"]);
    talk.frame(r#"42["a"]"#);
    talk.frame("41");
    talk.says(&[]);
    assert_eq!(emit(&mut talk, socket), Err(NotSent::Closed));
    talk.client.leave(socket);
    talk.says(&[]);
}

#[test]
fn a_socket_that_leaves_and_joins_at_once_takes_the_second_answer() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    let socket = talk.client.socket("/");
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.frame(HANDSHAKE);
    talk.client.leave(socket);
    talk.client.join(socket);
    talk.said();
    talk.frame(r#"40{"sid":"first"}"#);
    talk.frame(r#"40{"sid":"second"}"#);
    let said = talk.said();
    assert_eq!(said.iter().filter(|line| line.ends_with("joined")).count(), 1, "{said:?}");
    assert_eq!(talk.client.sid(socket), Some("second"));
}

#[test]
fn a_name_that_no_namespace_can_have_is_refused_and_never_sent() {
    let mut talk = Talk::new(config_over(Transport::WebSocket));
    for name in ["other", "/a,b", ""] {
        let socket = talk.client.socket(name);
        let said = talk.said();
        assert!(said.iter().all(|line| line.contains("refused")) && said.len() == 1, "{said:?}");
        talk.client.join(socket);
        assert_eq!(emit(&mut talk, socket), Err(NotSent::Closed));
    }
    talk.connect();
    talk.input(Input::WebSocketOpened);
    talk.said();
    talk.frame(HANDSHAKE);
    talk.says(&[]);
}

#[test]
fn nothing_is_taken_after_disconnecting_until_the_client_connects_again() {
    let (mut talk, socket) = Talk::joined(Transport::WebSocket);
    talk.input(Input::Disconnect);
    assert_eq!(emit(&mut talk, socket), Err(NotSent::Closed));
    talk.connect();
    assert_eq!(emit(&mut talk, socket), Ok(()));
    talk.join_over_websocket_with(r#"> 42["a"]"#);
}
