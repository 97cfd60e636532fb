//! Servers that share a backplane: one namespace on all of them.

use crate::recovery::{Client, House, Memory, recovering};
use crate::support::within;
use encke_server::{AckError, Backplane, Namespace, Parser, Recovery, Server, ServerBuilder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

async fn two(builder: impl Fn() -> ServerBuilder) -> [House; 2] {
    let backplane = Backplane::new();
    [House::open(builder().backplane(&backplane)).await, House::open(builder().backplane(&backplane)).await]
}

fn namespace(house: &House) -> Namespace {
    house.running.server.namespace("/").expect("added")
}

#[tokio::test]
async fn what_is_sent_reaches_the_clients_of_all_servers_and_local_words_those_of_one() {
    let [mut first, mut second] = two(recovering).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    b.does(r#"["in","red"]"#).await;
    first.say("", 1);
    namespace(&first).everybody().local().emit_named("said", &2).expect("writable");
    namespace(&second).everybody().local().emit_named("said", &3).expect("writable");
    first.say("red", 4);
    namespace(&first).to_socket(second.socket().id()).emit_named("said", &5);
    namespace(&first).everybody().except("red").emit_named("said", &6);
    second.say("", 7);
    for (client, numbers) in [(&mut a, [1, 2, 6, 7].as_slice()), (&mut b, &[1, 3, 4, 5, 7])] {
        for number in numbers {
            assert_eq!(client.said().await, *number);
        }
    }
}

#[tokio::test]
async fn without_recovery_events_are_as_they_are() {
    let backplane = Backplane::new();
    let open = || House::open(Server::builder().backplane(&backplane));
    let (first, mut second) = (open().await, open().await);
    let mut client = Client::open_plain(second.address()).await;
    assert_eq!(second.told().await, "new");
    first.say("", 1);
    assert_eq!(client.next_text().await, r#"42["said",1]"#);
    drop(client);
    assert!(second.told().await.ends_with("for good"));
}

#[tokio::test]
async fn clients_of_all_servers_see_the_same_order() {
    const EACH: u32 = 200;
    let [mut first, mut second] = two(recovering).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    std::thread::scope(|scope| {
        for (house, base) in [(&first, 0), (&second, 1_000)] {
            let namespace = namespace(house);
            scope.spawn(move || {
                for number in 0..EACH {
                    namespace.everybody().emit_named("said", &(base + number));
                }
            });
        }
    });
    let (mut heard_by_a, mut heard_by_b) = (Vec::new(), Vec::new());
    for _ in 0..2 * EACH {
        heard_by_a.push(a.said().await);
        heard_by_b.push(b.said().await);
    }
    assert_eq!(heard_by_a, heard_by_b);
    heard_by_a.sort_unstable();
    assert!(heard_by_a.into_iter().eq((0..EACH).chain(1_000..1_000 + EACH)));
}

#[tokio::test]
async fn who_comes_back_to_another_server_goes_on_there() {
    let [mut first, mut second] = two(recovering).await;
    let mut client = first.client().await;
    client.does(r#"["in","red"]"#).await;
    client.does(r#"["is",7]"#).await;
    let memory = first.cut(client).await;
    second.say("red", 1);
    namespace(&first).everybody().local().emit_named("said", &2).expect("writable");
    namespace(&second).everybody().local().emit_named("said", &3).expect("writable");
    let mut client = second.back(memory).await;
    assert_eq!(second.socket().find::<u32>().as_deref(), Some(&7));
    namespace(&first).everybody().local().emit_named("said", &4).expect("writable");
    namespace(&second).everybody().local().emit_named("said", &5).expect("writable");
    first.say("red", 6);
    for number in [1, 2, 5, 6] {
        assert_eq!(client.said().await, number, "what was local counts where it was when it was sent");
    }
    // The handle that the first server has reaches it.
    first.socket().emit_named("said", &7).expect("writable");
    assert_eq!(client.said().await, 7);
    let memory = second.cut(client).await;
    namespace(&second).everybody().local().emit_named("said", &8).expect("writable");
    let mut client = first.back(memory).await;
    assert_eq!(client.said().await, 8);
}

#[tokio::test]
async fn a_connection_to_another_server_is_taken_over() {
    let [mut first, mut second] = two(recovering).await;
    let old = first.client().await;
    let memory: Memory = old.memory.clone();
    first.say("", 1);
    let mut client = second.back(memory).await;
    assert_eq!(first.told().await, "transport close, perhaps back");
    assert_eq!(client.said().await, 1);
    assert_eq!((namespace(&first).len(), namespace(&second).len()), (0, 1));
    drop(old);
}

#[tokio::test]
async fn the_widest_of_what_servers_ask_for_is_kept() {
    let backplane = Backplane::new();
    let little = Recovery { max_bytes: 0, max_parked: 0, window: Duration::ZERO };
    let narrow = Server::builder().recovery(little).backplane(&backplane);
    let (mut narrow, _wide) =
        (House::open(narrow).await, House::open(recovering().backplane(&backplane)).await);
    let client = narrow.client().await;
    let memory = narrow.cut(client).await;
    narrow.say("", 1);
    let mut client = narrow.back(memory).await;
    assert_eq!(client.said().await, 1);
}

#[tokio::test]
async fn clients_of_all_servers_answer() {
    let [mut first, mut second] = two(recovering).await;
    let (mut a, mut b) = (first.client().await, second.client().await);
    let (socket_a, socket_b) = (first.socket().id(), second.socket().id());
    let everybody = || namespace(&first).everybody().timeout(Duration::from_secs(60));
    let mut answers = everybody().emit_named_with_ack("ready?", &()).expect("writable");
    for (client, socket, word) in [(&mut b, socket_b, "yes"), (&mut a, socket_a, "no")] {
        let asked = client.ws.next_text().await;
        let id = asked.strip_prefix("42").and_then(|rest| rest.strip_suffix(r#"["ready?"]"#)).expect(&asked);
        client.ws.text(&format!("43{id}[{word:?}]")).await;
        let answer = within(answers.next()).await.expect("one more");
        assert_eq!(answer.socket, socket);
        assert_eq!(answer.result.expect("answered").decode::<(String,)>().expect("a word").0, word);
    }
    assert!(answers.next().await.is_none());
    let mut answers = everybody().emit_named_with_ack("ready?", &()).expect("writable");
    second.cut(b).await;
    let answer = within(answers.next()).await.expect("one has left");
    assert!(answer.socket == socket_b && matches!(answer.result, Err(AckError::Disconnected)));
    drop(a);
}

#[test]
#[should_panic = "the same parser"]
fn servers_that_speak_differently_share_nothing() {
    let backplane = Backplane::new();
    for parser in [Parser::Json, Parser::MsgPack] {
        let _ = Server::builder().parser(parser).backplane(&backplane).build();
    }
}

#[tokio::test]
async fn servers_tell_each_other_what_no_client_sees() {
    let backplane = Backplane::new();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let open = |name: &'static str| {
        let tell = tell.clone();
        let build = Server::builder().ack_timeout(Duration::from_millis(50)).backplane(&backplane);
        build
            .namespace("/", |on| {
                if name == "deaf" {
                    return;
                }
                on.on_server_event("news", move |_namespace, args, ack| {
                    let _ = tell.send((name, args.decode::<(u32,)>().expect("a number").0));
                    ack.send(name).expect("a name");
                });
                on.on_server_event("panic", |_namespace, _args, _ack| panic!("on purpose"));
                on.on_server_event_async("slow", move |namespace, _args, ack| async move {
                    if name == "b" {
                        std::future::pending::<()>().await;
                    }
                    tokio::task::yield_now().await;
                    ack.send(&namespace.len()).expect("a number");
                });
            })
            .build()
            .namespace("/")
            .expect("added")
    };
    let (a, _b, _c, _deaf) = (open("a"), open("b"), open("c"), open("deaf"));
    a.server_side_emit("news", &1).await.expect("writable");
    let mut heard = [told.try_recv().expect("told"), told.try_recv().expect("told")];
    heard.sort_unstable();
    assert_eq!(heard, [("b", 1), ("c", 1)]);
    assert!(told.try_recv().is_err(), "not itself");
    let answers = within(a.server_side_emit_with_ack("news", &2).expect("writable").all()).await;
    let mut names: Vec<String> = answers
        .into_iter()
        .map(|answer| answer.expect("answered").decode::<(String,)>().expect("a name").0)
        .collect();
    names.sort();
    assert_eq!(names, ["b", "c"]);
    let panicked = within(a.server_side_emit_with_ack("panic", &()).expect("writable").all()).await;
    assert!(panicked.iter().all(|answer| answer.as_ref().is_ok_and(|args| args.iter().next().is_none())));
    let slow = within(a.server_side_emit_with_ack("slow", &()).expect("writable").all()).await;
    assert_eq!(slow.len(), 2);
    assert_eq!(slow.iter().filter(|answer| matches!(answer, Err(AckError::Timeout))).count(), 1);
    assert!(
        within(a.server_side_emit_with_ack("nobody knows", &()).expect("writable").all()).await.is_empty()
    );
}

#[tokio::test]
async fn who_is_told_that_its_server_goes_away_goes_on_at_another() {
    let [mut first, mut second] = two(recovering).await;
    let mut client = first.client().await;
    first.running.server.close(Duration::ZERO).await;
    assert_eq!(first.told().await, "server shutting down, perhaps back");
    second.say("", 1);
    assert_eq!(client.ws.close_code().await, 1001);
    let mut client = second.back(client.memory).await;
    assert_eq!(client.said().await, 1);
}

/// Ends threads with the test, also with one that fails.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Numbers from several threads on both servers, while a client is cut off again and again and comes back to either, or to
/// the other before its connection has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_and_nothing_comes_twice_wherever_one_comes_back() {
    const CUTS: usize = 60;
    let houses = two(recovering).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut client = Client::open(houses[0].address(), "").await;
    client.does(r#"["in","red"]"#).await;
    let handle = houses[0].socket();
    let mut heard = [Vec::new(), Vec::new()];
    let talk = |server: usize| {
        let (namespace, handle, stop) = (namespace(&houses[server]), handle.clone(), stop.clone());
        move || {
            let mut number = 0;
            while !stop.load(Ordering::Acquire) {
                number += 1;
                let text = (server, number);
                match number % 4 {
                    0 => drop(namespace.everybody().emit_named("n", &text)),
                    1 => drop(namespace.to(["red", "blue"]).except("green").emit_named("n", &text)),
                    2 => drop(namespace.to("red").emit_named("n", &text)),
                    _ => handle.emit_named("n", &text).expect("writable"),
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            number
        }
    };
    let _guard = Stop(stop.clone());
    let talks = [tokio::task::spawn_blocking(talk(0)), tokio::task::spawn_blocking(talk(1))];
    let [talk_a, talk_b] = talks;
    for cut in 0..CUTS {
        for _ in 0..cut % 7 {
            client.hears(&mut heard).await;
        }
        let memory = client.memory;
        let old = client.ws;
        if cut % 3 != 0 {
            drop(old);
        }
        let back = Client::open(houses[cut * 5 / 3 % 2].address(), &memory.auth()).await;
        assert_eq!(back.memory.pid, memory.pid, "recovered after cut {cut}");
        client = Client { memory, ..back };
    }
    stop.store(true, Ordering::Release);
    let last = [talk_a.await.expect("whole"), talk_b.await.expect("whole")];
    while heard[0].last() != Some(&last[0]) || heard[1].last() != Some(&last[1]) {
        client.hears(&mut heard).await;
    }
    for (heard, last) in heard.into_iter().zip(last) {
        assert!(heard.into_iter().eq(1..=last));
    }
}
