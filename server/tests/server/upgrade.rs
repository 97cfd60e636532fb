//! From polling to a WebSocket while messages are under way: nothing lost, nothing twice, nothing out of order.

use crate::echo;
use crate::support::{Http, PATH, Polling, Ws, start, within};
use encke_server::{Limits, Server};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The numbers in `42["n",…]` packets.
fn numbers(payload: &str) -> Vec<u32> {
    let packets =
        payload.split('\u{1e}').filter_map(|packet| packet.strip_prefix(r#"42["n","#)?.strip_suffix(']'));
    packets.map(|number| number.parse().expect("a number")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_under_way_arrive_once_and_in_order() {
    const MESSAGES: u32 = 2_000;
    let builder = Server::builder().namespace("/", |on| {
        on.on_named_async("flood", |socket, _args, _ack| async move {
            for number in 0..MESSAGES {
                socket.emit_named("n", &number).expect("a number");
                tokio::task::yield_now().await;
            }
        });
        on.on_named("echo", |_socket, args, ack| ack.send(&args).expect("as it came"));
    });
    let running = start(builder).await;
    for round in 0..20 {
        let mut client = Polling::join(running.address).await;
        client.post(r#"42["flood"]"#).await;
        let mut seen = Vec::new();
        // Another moment of the flood every time.
        for _ in 0..round {
            seen.extend(numbers(&client.poll().await));
        }
        let target = client.target();
        client.polls.send("GET", &target, "", b"").await;
        let mut ws = client.probe().await;
        let released = client.polls.receive().await;
        assert_eq!(released.status, 200);
        seen.extend(numbers(&released.body));
        client.post(r#"4277["echo","last post"]"#).await;
        ws.text("5").await;
        let mut acked = false;
        while seen.len() < MESSAGES as usize || !acked {
            let text = ws.next_text().await;
            acked |= text == r#"4377["last post"]"#;
            seen.extend(numbers(&text));
        }
        assert!(seen.iter().copied().eq(0..MESSAGES), "round {round}");
        let refused = Http::open(running.address).await.request("GET", &client.target(), "", b"").await;
        assert_eq!(refused.body, r#"{"code":3,"message":"Bad request"}"#, "polling is over");
    }
}

#[tokio::test]
async fn a_waiting_poll_is_released_at_once() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    let mut ws = client.probe().await;
    assert_eq!(client.polls.receive().await.body, "6");
    ws.text("5").await;
    ws.text(r#"421["echo",1]"#).await;
    assert_eq!(ws.next_text().await, "431[1]");
}

#[tokio::test]
async fn a_second_websocket_is_closed_while_one_probes_and_ever_after() {
    let running = start(echo()).await;
    let client = Polling::join(running.address).await;
    let mut ws = client.probe().await;
    let target = format!("{PATH}&transport=websocket&sid={}", client.sid);
    for packet in ["5", r#"421["echo",1]"#] {
        let mut second = Ws::open(running.address, &target).await;
        second.text("2probe").await;
        assert_eq!(second.close_code().await, 1008);
        ws.text(packet).await;
    }
    assert_eq!(ws.next_text().await, "431[1]", "nobody has disturbed the first");
}

#[tokio::test]
async fn an_upgrade_that_is_never_finished_leaves_the_session_with_polling() {
    let running = start(echo().upgrade_timeout(Duration::from_millis(500))).await;
    let mut client = Polling::join(running.address).await;
    let mut ws = client.probe().await;
    let mut end = [0];
    assert_eq!(tokio::io::AsyncReadExt::read(&mut ws.0, &mut end).await.expect("a clean end"), 0);
    client.post(r#"421["echo",1]"#).await;
    let answer = loop {
        let payload = client.poll().await;
        if payload != "6" {
            break payload;
        }
    };
    assert_eq!(answer, "431[1]");
    // And it may try again.
    let mut ws = client.probe().await;
    ws.text("5").await;
    ws.text(r#"422["echo",2]"#).await;
    assert_eq!(ws.next_text().await, "432[2]");
}

#[tokio::test]
async fn a_websocket_that_breaks_off_while_probing_costs_nothing() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    drop(client.probe().await);
    client.post(r#"421["echo",1]"#).await;
    let answer = loop {
        let payload = client.poll().await;
        if payload != "6" {
            break payload;
        }
    };
    assert_eq!(answer, "431[1]");
}

#[tokio::test]
async fn a_server_without_upgrades_offers_and_takes_none() {
    let running = start(echo().upgrades(false)).await;
    let client = Polling::join(running.address).await;
    let target = format!("{PATH}&transport=websocket&sid={}", client.sid);
    assert_eq!(Ws::open(running.address, &target).await.close_code().await, 1008);
    Ws::join(running.address).await;
}

#[tokio::test]
async fn an_upgrade_that_begins_while_a_queue_is_full_goes_on_when_it_is_short_again() {
    let (gate, (sender, mut sockets)) = (Arc::new(Notify::new()), mpsc::unbounded_channel());
    let wait = gate.clone();
    let limits = Limits { max_queued_events: 1_000, ..Limits::default() };
    let running = start(Server::builder().limits(limits).namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
        on.on_named_async("wait", move |_socket, _args, _ack| {
            let wait = wait.clone();
            async move { wait.notified().await }
        });
    }))
    .await;
    let mut client = Polling::join(running.address).await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let answer = socket.timeout(Duration::from_secs(60)).emit_named_with_ack("ask", &());
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket&sid={}", client.sid)).await;
    ws.settle().await;
    let (target, filler) = (client.target(), "x".repeat(2_000));
    let body = format!("42[\"wait\"]\u{1e}42[\"{filler}\"]\u{1e}430[]");
    client.posts.send("POST", &target, "", body.as_bytes()).await;
    // The packet behind the one that filled the queue.
    within(answer).await.expect("an answer");
    ws.text("2probe").await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    assert_eq!(client.posts.receive().await.body, "ok");
    assert_eq!(ws.next_text().await, "3probe");
}

#[tokio::test]
async fn a_socket_says_what_carries_it() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on_named("transport", |socket, _args, ack| {
            ack.send(&format!("{:?}", socket.transport())).expect("text");
        });
    }))
    .await;
    let mut client = Polling::join(running.address).await;
    client.post(r#"421["transport"]"#).await;
    assert_eq!(client.poll().await, r#"431["Some(Polling)"]"#);
    let mut ws = client.probe().await;
    ws.text("5").await;
    ws.text(r#"422["transport"]"#).await;
    assert_eq!(ws.next_text().await, r#"432["Some(WebSocket)"]"#);
}
