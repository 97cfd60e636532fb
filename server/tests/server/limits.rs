//! What a client may make the server hold.

use crate::echo;
use crate::support::{Http, PATH, Polling, Ws, masked, start, within};
use encke_server::{CloseReason, DisconnectReason, Limits, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// The timer is as fine as the shortest time that is set; this one matters nowhere here.
const SHORT: Duration = Duration::from_millis(200);

fn small() -> Limits {
    Limits { max_payload: 1_000, ..Limits::default() }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_answered_413_and_the_session_goes_on() {
    let running = start(echo().limits(small())).await;
    let mut client = Polling::join(running.address).await;
    let mut announced = Http::open(running.address).await;
    let response = announced.request("POST", &client.target(), "", &[b'4'; 1_001]).await;
    assert_eq!((response.status, response.body.as_str()), (413, ""));
    let mut chunked = Http::open(running.address).await;
    let head =
        format!("POST {} HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\n\r\n", client.target());
    let body = format!("{head}3e9\r\n{}\r\n0\r\n\r\n", "4".repeat(1_001));
    tokio::io::AsyncWriteExt::write_all(&mut chunked.0, body.as_bytes()).await.expect("written");
    let response = chunked.receive().await;
    assert_eq!((response.status, response.body.as_str()), (413, ""));
    let text = "x".repeat(980);
    client.post(&format!(r#"421["echo","{text}"]"#)).await;
    assert_eq!(client.poll().await, format!(r#"431["{text}"]"#));
}

#[tokio::test]
async fn a_body_with_bytes_may_be_as_long_as_official_clients_take_for_the_limit() {
    let running = start(echo().limits(small())).await;
    let mut client = Polling::join(running.address).await;
    let bytes = "A".repeat(800);
    let with = |length: usize| {
        let event = |text: &str| format!(r#"451-1["echo",{{"_placeholder":true,"num":0}},"{text}"]"#);
        let rest = event("").len() + 2 + bytes.len();
        format!("{}\u{1e}b{bytes}", event(&"x".repeat(length - rest)))
    };
    assert_eq!(client.post(&with(1_003)).await.status, 200);
    assert!(client.poll().await.ends_with(&bytes));
    let one_packet = format!("6\u{1e}{}", "4".repeat(1_001));
    for too_long in [with(1_004), one_packet] {
        // Its connection ends with the answer.
        let mut other = Http::open(running.address).await;
        let refused = other.request("POST", &client.target(), "", too_long.as_bytes()).await;
        assert_eq!(refused.status, 413, "{too_long}");
    }
    client.post(r#"421["echo"]"#).await;
    assert_eq!(client.poll().await, "431[]");
}

#[tokio::test]
async fn too_many_packets_attachments_or_namespaces_end_the_session() {
    let limits = Limits { max_packets: 3, max_attachments: 1, max_namespaces: 2, ..Limits::default() };
    let running = start(echo().limits(limits)).await;
    for body in ["3\u{1e}3\u{1e}3\u{1e}3", r#"452-["echo"]"#, "40/a\u{1e}40/b"] {
        let mut client = Polling::join(running.address).await;
        assert_eq!(client.post(body).await.status, 400, "{body}");
        assert_eq!(client.post("3").await.body, r#"{"code":1,"message":"Session ID unknown"}"#, "{body}");
    }
}

/// `flood` sends 20 MB to everybody but the sender, a quarter of it volatile.
fn flood() -> (encke_server::ServerBuilder, mpsc::UnboundedReceiver<DisconnectReason>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let limits = Limits { max_outbox: 1_000_000, ..Limits::default() };
    let builder = Server::builder().limits(limits).namespace("/", |on| {
        on.on_named("flood", |socket, args, _ack| {
            let (count,): (u32,) = args.decode().expect("a number");
            let text = "x".repeat(1_000);
            for number in 0..count {
                socket.broadcast().emit_named("n", &(number, &text));
            }
            socket.broadcast().volatile().emit_named("v", &text).expect("writable");
        });
        on.on_named("echo", |_socket, args, ack| ack.send(&args).expect("as it came"));
        on.on_disconnect(move |_socket, reason| sender.send(reason).unwrap_or_default());
    });
    (builder, receiver)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_closed_and_others_miss_nothing() {
    const ROUNDS: u32 = 200;
    let (builder, mut disconnects) = flood();
    let running = start(builder.upgrade_timeout(SHORT)).await;
    let mut source = Ws::join(running.address).await;
    let mut quick = Ws::join(running.address).await;
    let slow = Ws::open_narrow(running.address, &format!("{PATH}&transport=websocket")).await;
    let mut slow = slow.enter().await;
    // It reads only when it is too late.
    let closed = tokio::spawn(async move {
        let reason = within(disconnects.recv()).await;
        (reason, slow.close_code().await)
    });
    let reader = tokio::spawn(async move {
        let mut next = 0;
        while next < 100 * ROUNDS {
            let text = quick.next_text().await;
            if let Some(event) = text.strip_prefix(r#"42["n","#) {
                let number: u32 = event.split(',').next().expect("a number").parse().expect("a number");
                assert_eq!(number, next % 100);
                next += 1;
            } else if text == "2" {
                quick.text("3").await;
            }
        }
        quick
    });
    for round in 0..ROUNDS {
        source.text(&format!(r#"42{round}["flood",100]"#)).await;
        while !source.next_text().await.starts_with(&format!("43{round}[")) {}
    }
    within(reader).await.expect("nothing missing");
    // What the slow one was owed up to the limit still came, and then the reason.
    let slow_reader = DisconnectReason::Session(CloseReason::SlowReader);
    assert_eq!(within(closed).await.expect("closed"), (Some(slow_reader), 1008));
}

#[tokio::test]
async fn a_polling_client_that_does_not_poll_is_a_slow_reader_too() {
    let (builder, mut disconnects) = flood();
    let running = start(builder.upgrade_timeout(SHORT)).await;
    let mut source = Ws::join(running.address).await;
    let mut slow = Polling::join(running.address).await;
    for _ in 0..20 {
        source.text(r#"42["flood",100]"#).await;
    }
    assert_eq!(within(disconnects.recv()).await, Some(DisconnectReason::Session(CloseReason::SlowReader)));
    let payload = slow.poll().await;
    assert!(payload.starts_with(r#"42["n",0,"#), "what is queued may still be fetched");
}

#[tokio::test]
async fn who_only_asks_and_never_reads_is_let_go() {
    let limits = Limits { max_outbox: 100_000, ..Limits::default() };
    let builder = echo().limits(limits).upgrade_timeout(SHORT);
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    let namespace = running.server.namespace("/").expect("registered");
    // Refusals and pongs are no events of the application, and are bounded all the same.
    let questions = [masked(0x81, b"40/nope"), masked(0x89, &[0; 125])].concat().repeat(1_000);
    let asking = async {
        while tokio::io::AsyncWriteExt::write_all(&mut client.0, &questions).await.is_ok() {
            if namespace.is_empty() {
                break;
            }
        }
    };
    within(asking).await;
}

#[tokio::test]
async fn reading_pauses_while_a_queue_is_full_and_the_client_is_not_blamed() {
    const EVENTS: usize = 2_000;
    let (gate, opened) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (sender, disconnects) = mpsc::unbounded_channel();
    let (wait, entered) = (gate.clone(), opened.clone());
    let limits = Limits { max_queued_events: 10_000, ..Limits::default() };
    let builder = Server::builder()
        .limits(limits)
        .ping_interval(Duration::from_millis(100))
        .ping_timeout(Duration::from_millis(300))
        .namespace("/", |on| {
            on.on_named_async("wait", move |_socket, _args, _ack| {
                let (wait, entered) = (wait.clone(), entered.clone());
                async move {
                    entered.notify_one();
                    wait.notified().await;
                }
            });
            on.on_named("count", |_socket, _args, ack| ack.send(&()).expect("nothing"));
            on.on_disconnect(move |_socket, reason| sender.send(reason).unwrap_or_default());
        });
    let running = start(builder).await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["wait"]"#).await;
    within(opened.notified()).await;
    // 20 MB, more than fits between the two, each event with an answer to the heartbeats.
    let filler = "x".repeat(10_000);
    let event =
        |id| [masked(0x81, format!(r#"42{id}["count","{filler}"]"#).as_bytes()), masked(0x81, b"3")].concat();
    let events: Vec<u8> = (0..EVENTS).flat_map(event).collect();
    let (mut reading, mut writing) = client.0.into_split();
    let mut writer = tokio::spawn(async move {
        tokio::io::AsyncWriteExt::write_all(&mut writing, &events).await.expect("written");
        writing
    });
    // Several heartbeats go by that nobody answers: the answers stand behind all that is unread.
    let early = tokio::time::timeout(Duration::from_secs(2), &mut writer).await;
    assert!(early.is_err(), "all of it was read");
    assert!(disconnects.is_empty());
    gate.notify_one();
    let mut bytes = Vec::new();
    let mut next = 0;
    let reader = async {
        while next < EVENTS {
            let count = tokio::io::AsyncReadExt::read_buf(&mut reading, &mut bytes).await.expect("bytes");
            assert!(count > 0, "closed after {next} acks");
            while bytes.len() > 4 {
                let (start, length) = match bytes[1] {
                    126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
                    short => (2, usize::from(short)),
                };
                if bytes.len() < start + length {
                    break;
                }
                if bytes[start..].starts_with(b"43") {
                    assert!(bytes[start..].starts_with(format!("43{next}[").as_bytes()));
                    next += 1;
                }
                bytes.drain(..start + length);
            }
        }
    };
    within(reader).await;
    within(writer).await.expect("written");
}

#[tokio::test]
async fn handlers_that_wait_for_sockets_that_have_left_are_bounded() {
    let limits = Limits { max_namespaces: 3, ..Limits::default() };
    let waiting = Arc::new(AtomicUsize::new(0));
    let count = waiting.clone();
    let running = start(Server::builder().limits(limits).namespace("/", |on| {
        on.on_named_async("wait", move |_socket, _args, _ack| {
            count.fetch_add(1, Ordering::Relaxed);
            std::future::pending()
        });
        on.on_named_async("quick", |_socket, _args, _ack| tokio::task::yield_now());
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    for _ in 0..10 {
        client.text(r#"42["quick"]"#).await;
        client.text("41").await;
        // What has finished does not count.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        client.settle().await;
        client.text("40").await;
        assert!(client.next_text().await.starts_with("40{"));
    }
    let rounds: Vec<u8> = [r#"42["wait"]"#, "41", "40"].map(|text| masked(0x81, text.as_bytes())).concat();
    client.raw(&rounds.repeat(100)).await;
    assert_eq!(client.close_code().await, 1002);
    assert_eq!(waiting.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn answers_that_nobody_reads_end_the_session_soon() {
    const ASKED: usize = 3_000;
    let (sender, mut disconnects) = mpsc::unbounded_channel();
    let answered = Arc::new(AtomicUsize::new(0));
    let (count, large) = (answered.clone(), "x".repeat(100_000));
    let limits = Limits { max_outbox: 1_000_000, ..Limits::default() };
    let running = start(Server::builder().limits(limits).namespace("/", |on| {
        on.on_named("large", move |_socket, _args, ack| {
            count.fetch_add(1, Ordering::Relaxed);
            ack.send(&large).expect("text");
        });
        on.on_disconnect(move |_socket, reason| sender.send(reason).unwrap_or_default());
    }))
    .await;
    let client = Ws::open_narrow(running.address, &format!("{PATH}&transport=websocket")).await;
    let mut client = client.enter().await;
    client.raw(&masked(0x81, br#"421["large"]"#).repeat(ASKED)).await;
    assert_eq!(within(disconnects.recv()).await, Some(DisconnectReason::Session(CloseReason::SlowReader)));
    assert!(answered.load(Ordering::Relaxed) < ASKED / 4, "{answered:?}");
}

#[tokio::test]
async fn who_sends_too_much_is_told_so_before_all_of_it_was_read() {
    let running = start(echo()).await;
    let mut client = Ws::join(running.address).await;
    client.raw(&masked(0x81, &[b'4'; 2_000_000])).await;
    assert_eq!(client.close_code().await, 1009);
}

#[tokio::test]
async fn a_payload_is_bounded_by_its_bytes_and_not_by_a_handful_of_packets() {
    let running = start(echo()).await;
    let mut client = Polling::join(running.address).await;
    let body = vec!["3"; 10_000].join("\u{1e}");
    assert_eq!(client.post(&body).await.body, "ok");
}
