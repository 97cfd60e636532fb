//! Handlers: who may enter, the order of events, and what a panic costs.

use crate::support::{PATH, Polling, Ws, start, within};
use encke_server::{Args, Refusal, Server, Socket};
use std::sync::Arc;
use std::sync::Mutex;
use tokio::sync::{Notify, Semaphore};

#[tokio::test]
async fn a_client_may_be_refused_with_words_and_data() {
    let running = start(Server::builder().namespace("/", |_| {}).namespace("/private", |on| {
        on.admit(|_socket, auth| {
            let wanted = auth.text() == r#"{"token":"open sesame"}"#;
            let refusal = || Refusal::new("who are you?").with_data(&("try", 2)).expect("writable");
            if wanted { Ok(()) } else { Err(refusal()) }
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text("40/private,").await;
    assert_eq!(client.next_text().await, r#"44/private,{"message":"who are you?","data":["try",2]}"#);
    client.text(r#"40/private,{"token":"open sesame"}"#).await;
    assert!(client.next_text().await.starts_with(r#"40/private,{"sid":"#));
    client.text("40/nope,").await;
    assert_eq!(client.next_text().await, r#"44/nope,{"message":"Invalid namespace"}"#);
}

#[tokio::test]
async fn several_who_decide_are_asked_in_order_until_one_refuses() {
    #[derive(serde::Deserialize)]
    struct Login {
        step: usize,
    }
    let asked: Arc<Mutex<Vec<&str>>> = Arc::default();
    let logs: [_; 4] = std::array::from_fn(|_| asked.clone());
    let running = start(Server::builder().namespace("/", move |on| {
        let log = |index: usize, name| {
            let log = logs[index].clone();
            move |step: usize| {
                log.lock().expect("no panic").push(name);
                if step == index { Err(Refusal::from(name)) } else { Ok(()) }
            }
        };
        let [first, second, third, fourth] = [(0, "a"), (1, "b"), (2, "c"), (3, "d")].map(|(i, n)| log(i, n));
        on.admit(move |_socket, auth| first(auth.decode::<Login>()?.step));
        on.admit_async(move |_socket, auth| {
            let second = second.clone();
            async move {
                tokio::task::yield_now().await;
                second(auth.decode::<Login>()?.step)
            }
        });
        on.admit(move |socket, _auth| third(socket.auth().decode::<Login>()?.step));
        on.admit_async(move |_socket, auth| {
            let decision = auth.decode::<Login>().map_err(Refusal::from).and_then(|login| fourth(login.step));
            async move { decision }
        });
    }))
    .await;
    let mut client = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    client.next_text().await;
    client.text("40").await;
    assert_eq!(client.next_text().await, r#"44{"message":"missing field `step` at line 1 column 2"}"#);
    for (step, so_far) in ["a", "ab", "abc", "abcd"].into_iter().enumerate() {
        client.text(&format!(r#"40{{"step":{step}}}"#)).await;
        assert_eq!(client.next_text().await, format!(r#"44{{"message":"{}"}}"#, &so_far[step..]));
        assert_eq!(asked.lock().expect("no panic").drain(..).collect::<String>(), so_far);
    }
    client.text(r#"40{"step":4}"#).await;
    assert!(client.next_text().await.starts_with(r#"40{"sid":"#));
}

#[tokio::test]
async fn no_event_is_dropped_between_connect_and_its_handler() {
    let running = start(Server::builder().namespace("/", |on| {
        on.admit_async(|socket, _auth| async move {
            tokio::task::yield_now().await;
            socket.set(Mutex::new(vec!["admitted"]));
            assert!(!socket.is_connected());
            socket.emit_named("too early", &()).expect("writable");
            Ok(())
        });
        on.on_connect_async(|socket| async move {
            socket.emit_named("welcome", &()).expect("writable");
            tokio::task::yield_now().await;
            socket.find::<Mutex<Vec<&str>>>().expect("set").lock().expect("no panic").push("connected");
        });
        on.on_named("echo", |socket, args, ack| {
            let steps = socket.find::<Mutex<Vec<&str>>>().expect("set").lock().expect("no panic").clone();
            assert_eq!(steps, ["admitted", "connected"]);
            ack.send(&args).expect("as it came");
        });
    }))
    .await;
    for _ in 0..100 {
        let mut client = Ws::join(running.address).await;
        client.text(r#"421["echo"]"#).await;
        assert_eq!(client.next_text().await, r#"42["welcome"]"#);
        assert_eq!(client.next_text().await, "431[]");
    }
}

/// `slow` waits for a permit; both log their argument and acknowledge it.
fn logging(permits: &Arc<Semaphore>, log: &Arc<Mutex<Vec<String>>>) -> encke_server::ServerBuilder {
    let (permits, slow_log, quick_log) = (permits.clone(), log.clone(), log.clone());
    Server::builder().namespace("/", |on| {
        on.on_named_async("slow", move |_socket, args, ack| {
            let (permits, log) = (permits.clone(), slow_log.clone());
            async move {
                permits.acquire().await.expect("open").forget();
                log.lock().expect("no panic").push(args.iter().collect());
                ack.send(&args).expect("as it came");
            }
        });
        on.on_named("quick", move |_socket, args, ack| {
            quick_log.lock().expect("no panic").push(args.iter().collect());
            ack.send(&args).expect("as it came");
        });
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_one_socket_are_handled_in_order_and_others_do_not_wait() {
    let (permits, log) = (Arc::new(Semaphore::new(0)), Arc::default());
    let running = start(logging(&permits, &log)).await;
    let mut client = Ws::join(running.address).await;
    let mut other = Polling::join(running.address).await;
    for (id, name) in ["slow", "quick", "slow", "quick", "quick"].into_iter().enumerate() {
        client.text(&format!(r#"42{id}["{name}",{id}]"#)).await;
    }
    client.settle().await;
    other.post(r#"420["quick",100]"#).await;
    assert_eq!(other.poll().await, "430[100]");
    assert_eq!(*log.lock().expect("no panic"), ["100"]);
    permits.add_permits(2);
    for id in 0..5 {
        assert_eq!(client.next_text().await, format!("43{id}[{id}]"));
    }
    assert_eq!(*log.lock().expect("no panic"), ["100", "0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_disconnect_is_told_after_the_events_before_it() {
    let (gate, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let log: Arc<Mutex<Vec<&str>>> = Arc::default();
    let (wait, tell, first, second) = (gate.clone(), done.clone(), log.clone(), log.clone());
    let running = start(Server::builder().namespace("/", |on| {
        on.on_named_async("slow", move |_socket, _args, _ack| {
            let (wait, log) = (wait.clone(), first.clone());
            async move {
                wait.notified().await;
                log.lock().expect("no panic").push("event");
            }
        });
        on.on_disconnect(move |socket, _reason| {
            assert!(!socket.is_connected());
            second.lock().expect("no panic").push("disconnect");
            tell.notify_one();
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["slow"]"#).await;
    client.settle().await;
    drop(client);
    gate.notify_one();
    within(done.notified()).await;
    assert_eq!(*log.lock().expect("no panic"), ["event", "disconnect"]);
}

#[tokio::test]
async fn a_panic_costs_only_the_event_that_caused_it() {
    let running = start(
        Server::builder()
            .namespace("/", |on| {
                on.on_named("now", |_socket, _args, _ack| panic!("on purpose"));
                on.on_named_async("later", |_socket, _args, _ack| async {
                    tokio::task::yield_now().await;
                    panic!("on purpose");
                });
                on.on_named("echo", |_socket, args, ack| ack.send(&args).expect("as it came"));
            })
            .namespace("/closed", |on| {
                on.admit(|_socket, _auth| panic!("on purpose"));
            }),
    )
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["now"]"#).await;
    client.text(r#"42["later"]"#).await;
    client.text(r#"421["echo",1]"#).await;
    assert_eq!(client.next_text().await, "431[1]");
    client.text(r#"422["now"]"#).await;
    assert_eq!(client.next_text().await, "432[]", "whoever waits for an ack does not wait for ever");
    client.text("40/closed,").await;
    assert_eq!(client.next_text().await, r#"44/closed,{"message":"Internal error"}"#);
}

#[tokio::test]
async fn a_client_that_leaves_before_it_is_admitted_never_enters() {
    let (gate, entered) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(0)));
    let (permits, count) = (gate.clone(), entered.clone());
    let builder = Server::builder().namespace("/", |_| {}).namespace("/slow", |on| {
        on.admit_async(move |_socket, _auth| {
            let permits = permits.clone();
            async move {
                permits.acquire().await.expect("open").forget();
                Ok(())
            }
        });
        on.on_connect(move |_socket| *count.lock().expect("no panic") += 1);
    });
    let running = start(builder).await;
    let slow = running.server.namespace("/slow").expect("registered");
    let mut client = Ws::join(running.address).await;
    client.text("40/slow,").await;
    client.text("41/slow,").await;
    client.settle().await;
    gate.add_permits(1);
    // The admission goes on in a task of its own.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!((slow.len(), *entered.lock().expect("no panic")), (0, 0));
    gate.add_permits(1);
    client.text("40/slow,").await;
    assert!(client.next_text().await.starts_with(r#"40/slow,{"sid":"#));
    client.settle().await;
    assert_eq!((slow.len(), *entered.lock().expect("no panic")), (1, 1));
    // Two asks whose answers could not be told apart.
    let mut client = Ws::join(running.address).await;
    for text in ["40/slow,", "41/slow,", "40/slow,"] {
        client.text(text).await;
    }
    assert_eq!(client.close_code().await, 1002);
}

#[tokio::test]
async fn an_event_without_handler_is_answered_when_an_answer_is_wanted() {
    let running = start(Server::builder().namespace("/", |_| {})).await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["nobody hears it"]"#).await;
    client.text(r#"425["nobody hears it",1]"#).await;
    assert_eq!(client.next_text().await, "435[]");
}

#[tokio::test]
async fn handlers_find_what_the_application_gave_the_server() {
    struct Greeting(&'static str);
    async fn greet(socket: Socket, args: Args<'static>) -> Result<String, Refusal> {
        let (name,): (String,) = args.decode()?;
        socket.namespace().everybody().emit_named("greeted", &name).await.expect("writable");
        Ok(format!("{}, {name}", socket.state::<Greeting>().0))
    }
    let running = start(Server::builder().state(Greeting("Hello")).state(7_u8).namespace("/", |on| {
        on.on_call_async("greet", greet);
        on.on_call("numbers", |socket, args| {
            let (wide,): (bool,) = args.decode()?;
            Ok::<_, Refusal>(if wide { *socket.state::<u64>() } else { (*socket.state::<u8>()).into() })
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"421["greet","Ann"]"#).await;
    assert_eq!(client.next_text().await, r#"42["greeted","Ann"]"#);
    assert_eq!(client.next_text().await, r#"431["Hello, Ann"]"#);
    client.text(r#"422["numbers",false]"#).await;
    assert_eq!(client.next_text().await, "432[7]");
    client.text(r#"423["numbers",true]"#).await;
    assert_eq!(client.next_text().await, "433[]", "nothing of that type was given: it panics");
}

#[tokio::test]
async fn several_handlers_of_an_arrival_or_departure_all_run_in_order() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        for number in 0..3 {
            let [come, come_later, go, go_later] = [(); 4].map(|()| tell.clone());
            on.on_connect(move |_| {
                come.send(format!("connect {number}")).expect("the test listens");
                assert_ne!(number, 1, "on purpose");
            });
            on.on_connect_async(move |_| {
                let come = come_later.clone();
                async move {
                    tokio::task::yield_now().await;
                    come.send(format!("connect later {number}")).expect("the test listens");
                    assert_ne!(number, 1, "on purpose");
                }
            });
            on.on_disconnect(move |_, _| {
                go.send(format!("disconnect {number}")).expect("the test listens");
                assert_ne!(number, 1, "on purpose");
            });
            on.on_disconnect_async(move |_, _| {
                let go = go_later.clone();
                async move {
                    tokio::task::yield_now().await;
                    go.send(format!("disconnect later {number}")).expect("the test listens");
                }
            });
        }
        let event = tell.clone();
        on.on_named("event", move |_, _, _| event.send("event".to_owned()).expect("the test listens"));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"42["event"]"#).await;
    client.settle().await;
    drop(client);
    let mut heard = Vec::new();
    while heard.len() < 13 {
        heard.push(within(told.recv()).await.expect("a word"));
    }
    let words =
        |kind| (0..3).flat_map(move |number| [format!("{kind} {number}"), format!("{kind} later {number}")]);
    let wanted: Vec<String> =
        words("connect").chain(["event".to_owned()]).chain(words("disconnect")).collect();
    assert_eq!(heard, wanted);
}
