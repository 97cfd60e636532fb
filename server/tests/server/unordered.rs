//! Unordered handlers: what they hold up, and what holds them up.

use crate::support::{Running, Ws, start, within};
use encke_server::{Limits, Server};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// `slow` waits for its permit, `quick` answers at once; the argument of each is told when it begins and when it ends.
struct Trial {
    running: Running,
    permits: Arc<[Notify; 4]>,
    told: mpsc::UnboundedReceiver<String>,
}

impl Trial {
    async fn new(limits: Limits) -> Self {
        let permits: Arc<[Notify; 4]> = Arc::default();
        let (tell, told) = mpsc::unbounded_channel();
        let [begun, quick, left] = [(); 3].map(|()| tell.clone());
        let waits = permits.clone();
        let builder = Server::builder().limits(limits);
        let running = start(builder.namespace("/", |on| {
            on.on_named_unordered("slow", move |_socket, args, ack| {
                let number: usize =
                    args.iter().next().and_then(|number| number.parse().ok()).expect("a number");
                let (waits, tell) = (waits.clone(), begun.clone());
                tell.send(format!("begin {number}")).expect("the test listens");
                async move {
                    waits[number].notified().await;
                    assert_ne!(number, 3, "on purpose");
                    ack.send(&number).expect("writable");
                    tell.send(format!("end {number}")).expect("the test listens");
                }
            });
            on.on_named("quick", move |_socket, args, ack| {
                quick.send("quick".to_owned()).expect("the test listens");
                ack.send(&args).expect("as it came");
            });
            on.on_disconnect(move |_socket, _reason| left.send("left".to_owned()).expect("the test listens"));
        }))
        .await;
        Self { running, permits, told }
    }

    async fn told(&mut self) -> String {
        within(self.told.recv()).await.expect("a word")
    }

    fn nothing_told(&mut self) {
        assert!(self.told.try_recv().is_err());
    }
}

fn two() -> Limits {
    Limits { max_unordered: 2, ..Limits::default() }
}

#[tokio::test]
async fn an_unordered_handler_holds_up_nobody_until_too_many_are_under_way() {
    let mut trial = Trial::new(two()).await;
    let mut client = Ws::join(trial.running.address).await;
    for event in
        [r#"420["slow",0]"#, r#"421["slow",1]"#, r#"422["quick"]"#, r#"423["slow",2]"#, r#"424["quick"]"#]
    {
        client.text(event).await;
    }
    assert_eq!(client.next_text().await, "432[]");
    client.settle().await;
    assert_eq!([trial.told().await, trial.told().await, trial.told().await], ["begin 0", "begin 1", "quick"]);
    trial.nothing_told();
    trial.permits[1].notify_one();
    assert_eq!(client.next_text().await, "431[1]", "the second before the first");
    assert_eq!(client.next_text().await, "434[]");
    assert_eq!([trial.told().await, trial.told().await, trial.told().await], ["end 1", "begin 2", "quick"]);
    trial.permits[2].notify_one();
    assert_eq!(client.next_text().await, "433[2]");
    trial.permits[0].notify_one();
    assert_eq!(client.next_text().await, "430[0]");
}

#[tokio::test]
async fn an_unordered_handler_that_panics_makes_room_for_the_next() {
    let mut trial = Trial::new(two()).await;
    let mut client = Ws::join(trial.running.address).await;
    for number in [3, 3, 0, 1] {
        client.text(&format!(r#"42{number}["slow",{number}]"#)).await;
    }
    client.settle().await;
    assert_eq!([trial.told().await, trial.told().await], ["begin 3", "begin 3"]);
    trial.permits[3].notify_waiters();
    assert_eq!([trial.told().await, trial.told().await], ["begin 0", "begin 1"]);
    assert_eq!([client.next_text().await, client.next_text().await], ["433[]", "433[]"]);
}

#[tokio::test]
async fn a_disconnect_is_told_when_unordered_handlers_have_ended() {
    let mut trial = Trial::new(two()).await;
    let mut client = Ws::join(trial.running.address).await;
    client.text(r#"42["slow",0]"#).await;
    client.text(r#"42["slow",1]"#).await;
    client.settle().await;
    drop(client);
    let namespace = trial.running.server.namespace("/").expect("registered");
    while !namespace.is_empty() {
        tokio::task::yield_now().await;
    }
    for number in [1, 0] {
        trial.permits[number].notify_one();
    }
    let mut heard = Vec::new();
    while heard.len() < 5 {
        heard.push(trial.told().await);
    }
    assert_eq!(heard[..2], ["begin 0", "begin 1"]);
    assert_eq!(heard[4], "left");
}

#[tokio::test]
async fn long_events_of_unordered_handlers_hold_up_the_next_before_there_are_too_many() {
    let mut trial = Trial::new(Limits { max_queued_events: 1_000, ..Limits::default() }).await;
    let mut client = Ws::join(trial.running.address).await;
    let long = "x".repeat(2_000);
    client.text(r#"420["slow",0]"#).await;
    client.text(&format!(r#"421["slow",1,"{long}"]"#)).await;
    client.text(r#"422["slow",2]"#).await;
    client.settle().await;
    assert_eq!([trial.told().await, trial.told().await], ["begin 0", "begin 1"]);
    trial.nothing_told();
    trial.permits[0].notify_one();
    assert_eq!((client.next_text().await.as_str(), trial.told().await.as_str()), ("430[0]", "end 0"));
    client.settle().await;
    trial.nothing_told();
    trial.permits[1].notify_one();
    assert_eq!([trial.told().await, trial.told().await], ["end 1", "begin 2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_begin_in_order_and_every_one_ends_however_many_there_are() {
    const EVENTS: usize = 2_000;
    let (tell, mut told) = mpsc::unbounded_channel();
    let (begun, handled) = (tell.clone(), tell);
    let builder = Server::builder().limits(Limits { max_unordered: 3, ..Limits::default() });
    let running = start(builder.namespace("/", |on| {
        on.on_named_unordered("unordered", move |_socket, args, ack| {
            let (number,): (usize,) = args.decode().expect("a number");
            begun.send(number).expect("the test listens");
            async move {
                for _ in 0..number % 7 {
                    tokio::task::yield_now().await;
                }
                ack.send(&args).expect("as it came");
            }
        });
        on.on_named_async("ordered", move |_socket, args, ack| {
            let (number,): (usize,) = args.decode().expect("a number");
            handled.send(number).expect("the test listens");
            async move {
                for _ in 0..number % 3 {
                    tokio::task::yield_now().await;
                }
                ack.send(&args).expect("as it came");
            }
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    for number in 0..EVENTS {
        let name = if number % 5 == 0 { "ordered" } else { "unordered" };
        client.text(&format!(r#"42{number}["{name}",{number}]"#)).await;
    }
    let mut answered = vec![false; EVENTS];
    for _ in 0..EVENTS {
        let answer = client.next_text().await;
        let (id, args) = answer.strip_prefix("43").and_then(|rest| rest.split_once('[')).expect("an ack");
        let number: usize = id.parse().expect("a number");
        assert_eq!(args, format!("{number}]"));
        assert!(!std::mem::replace(&mut answered[number], true), "answered once");
    }
    for number in 0..EVENTS {
        assert_eq!(within(told.recv()).await, Some(number));
    }
}
