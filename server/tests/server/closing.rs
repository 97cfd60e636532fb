//! How a connection ends from the server's side, and how the server itself does.

use crate::support::{Http, PATH, Polling, UPGRADE, Ws, start, within};
use axum::Router;
use axum::routing::get;
use encke_server::{CloseReason, DisconnectReason, Listener, Server, ServerBuilder};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};

const PATIENCE: Duration = Duration::from_secs(10);

fn endings() -> (ServerBuilder, mpsc::UnboundedReceiver<DisconnectReason>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/", |on| {
        on.on_named("out", |socket, _args, _ack| socket.disconnect());
        on.on_named("end", |socket, _args, _ack| socket.close());
        on.on_disconnect(move |socket, reason| {
            socket.emit_named("too late", &()).expect("writable");
            sender.send(reason).expect("the test listens");
        });
    });
    (builder, receiver)
}

#[tokio::test]
async fn a_client_is_put_out_of_a_namespace_and_may_come_back() {
    let (builder, mut reasons) = endings();
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["out"]"#).await;
    client.text(r#"42["sent before it knew"]"#).await;
    assert_eq!(client.next_text().await, "41");
    assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::ByServer));
    client.text("40").await;
    assert!(client.next_text().await.starts_with(r#"40{"sid":"#));
}

#[tokio::test]
async fn who_has_entered_again_is_not_put_out_by_the_handle_from_before() {
    let (sender, mut sockets) = mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    let before = within(sockets.recv()).await.expect("a socket");
    client.text("41").await;
    client.text("40").await;
    assert!(client.next_text().await.starts_with("40"));
    let now = within(sockets.recv()).await.expect("a socket");
    before.disconnect();
    client.settle().await;
    assert!(now.is_connected());
    now.disconnect();
    assert_eq!(client.next_text().await, "41");
}

#[tokio::test]
async fn a_closed_connection_says_goodbye_on_either_transport() {
    let (builder, mut reasons) = endings();
    let running = start(builder).await;
    let mut ws = Ws::join(running.address).await;
    ws.text(r#"42["end"]"#).await;
    assert_eq!(ws.close_code().await, 1000);
    assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::Session(CloseReason::ForcedClose)));
    let mut polling = Polling::join(running.address).await;
    polling.post(r#"42["end"]"#).await;
    assert_eq!(polling.poll().await, "1");
    let forgotten = polling.post("3").await;
    assert_eq!(forgotten.body, r#"{"code":1,"message":"Session ID unknown"}"#, "once it has its goodbye");
    assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::Session(CloseReason::ForcedClose)));
}

#[tokio::test]
async fn last_words_are_fetched_before_the_goodbye() {
    let (builder, _reasons) = endings();
    let running = start(builder.namespace("/", |on| {
        on.on_named("bye", |socket, _args, _ack| {
            socket.emit_named("last words", &()).expect("writable");
            socket.close();
        });
    }))
    .await;
    let mut polling = Polling::join(running.address).await;
    polling.post(r#"42["bye"]"#).await;
    assert_eq!(polling.poll().await, r#"42["last words"]"#);
    assert_eq!(polling.poll().await, "1");
}

#[tokio::test]
async fn a_client_that_has_stopped_polling_for_an_upgrade_is_told_on_its_websocket() {
    let (builder, mut reasons) = endings();
    let running = start(builder.namespace("/", |on| {
        on.on_named("bye", |socket, _args, _ack| {
            socket.emit_named("last words", &()).expect("writable");
            socket.close();
        });
    }))
    .await;
    let mut client = Polling::join(running.address).await;
    let mut ws = client.probe().await;
    client.post(r#"42["bye"]"#).await;
    assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::Session(CloseReason::ForcedClose)));
    // Official clients poll no more once their probe is answered, and look at the WebSocket only from here on.
    ws.text("5").await;
    assert_eq!(ws.next_text().await, r#"42["last words"]"#);
    assert_eq!(ws.close_code().await, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_tells_everybody_and_takes_nobody() {
    let (builder, mut reasons) = endings();
    let running = start(builder).await;
    let mut ws = Ws::join(running.address).await;
    let mut polling = Polling::join(running.address).await;
    let target = polling.target();
    polling.polls.send("GET", &target, "", b"").await;
    let mut upgrading = Polling::open(running.address).await;
    let mut probe = upgrading.probe().await;
    let server = running.server.clone();
    let closing = tokio::spawn(async move { server.close(PATIENCE).await });
    assert_eq!(ws.close_code().await, 1001);
    drop(ws);
    assert_eq!(polling.polls.receive().await.body, "1");
    // It polls on, and so its WebSocket is not needed.
    assert_eq!(upgrading.poll().await, "1");
    let mut end = [0];
    assert_eq!(within(tokio::io::AsyncReadExt::read(&mut probe.0, &mut end)).await.expect("a clean end"), 0);
    within(closing).await.expect("no panic");
    for _ in 0..2 {
        assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::Session(CloseReason::ShuttingDown)));
    }
    for (transport, headers) in [("polling", ""), ("websocket", UPGRADE)] {
        let target = format!("{PATH}&transport={transport}");
        let refused = Http::open(running.address).await.request("GET", &target, headers, b"").await;
        assert_eq!(refused.status, 503);
    }
}

#[tokio::test]
async fn a_client_that_does_not_answer_does_not_hold_a_server_back() {
    let (builder, _reasons) = endings();
    let running = start(builder).await;
    let _silent = Ws::join(running.address).await;
    within(running.server.close(Duration::from_millis(50))).await;
}

#[tokio::test]
async fn what_was_sent_before_the_end_still_arrives() {
    let (sender, mut sockets) = mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let text = "x".repeat(100_000);
    for number in 0..30 {
        socket.emit_named("last", &(number, &text)).expect("writable");
    }
    socket.close();
    for number in 0..30 {
        assert_eq!(client.next_text().await, format!(r#"42["last",{number},"{text}"]"#));
    }
    assert_eq!(client.close_code().await, 1000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_shutdown_ends_polls_and_websockets_and_waits_for_other_requests() {
    for listens in [Listens::Tokio, Listens::Own, Listens::Serving] {
        shut_down(listens).await;
    }
}

/// Whose listener it is.
#[derive(Clone, Copy)]
enum Listens {
    Tokio,
    Own,
    /// Which serves plain requests itself.
    Serving,
}

async fn shut_down(listens: Listens) {
    let (builder, mut reasons) = endings();
    let server = builder.build();
    let serves = server.clone();
    let [stop, asked, answer]: [Arc<Notify>; 3] = Default::default();
    let (told, asks, waits) = (stop.clone(), asked.clone(), answer.clone());
    let slow = get(async move || {
        asks.notify_one();
        waits.notified().await;
        "at last"
    });
    let app = Router::new().route("/slow", slow).merge(server.router());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let close = async move {
        told.notified().await;
        server.close(PATIENCE).await;
    };
    let mut serving = tokio::spawn(async move {
        match listens {
            Listens::Tokio => axum::serve(listener, app).with_graceful_shutdown(close).await,
            Listens::Own => axum::serve(Listener::from(listener), app).with_graceful_shutdown(close).await,
            Listens::Serving => {
                axum::serve(serves.listener(listener), app).with_graceful_shutdown(close).await
            }
        }
    });
    let mut ws = Ws::join(address).await;
    let mut polling = Polling::join(address).await;
    let mut between_polls = Polling::join(address).await;
    let mut idle = Http::open(address).await;
    assert_eq!(idle.request("GET", &format!("{PATH}&transport=polling"), "", b"").await.status, 200);
    let target = polling.target();
    polling.polls.send("GET", &target, "", b"").await;
    let mut request = Http::open(address).await;
    request.send("GET", "/slow", "", b"").await;
    within(asked.notified()).await;

    stop.notify_one();
    assert_eq!(polling.polls.receive().await.body, "1");
    assert_eq!(ws.close_code().await, 1001);
    drop(ws);
    assert_eq!(between_polls.poll().await, "1");
    for _ in 0..3 {
        assert_eq!(within(reasons.recv()).await, Some(DisconnectReason::Session(CloseReason::ShuttingDown)));
    }
    assert!(!serving.is_finished());
    answer.notify_one();
    assert_eq!(request.receive().await.body, "at last");
    within(&mut serving).await.expect("no panic").expect("no failure");
    // What is kept alive for no request is let go.
    assert_eq!(within(tokio::io::AsyncReadExt::read(&mut idle.0, &mut [0])).await.expect("a clean end"), 0);
}
