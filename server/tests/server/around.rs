//! What runs around the handlers of events, and handlers whose result is the ack.

use crate::support::{Ws, start};
use encke_server::{Refusal, Server};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

fn take(log: &Log) -> Vec<String> {
    std::mem::take(&mut *log.lock().expect("no panic"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_seen_then_decided_about_in_order_then_handled() {
    let log = Log::default();
    let write = |who: &'static str| {
        let log = log.clone();
        move |name: &str, args: &str| {
            log.lock().expect("no panic").push(format!("{who} {name} {args}"));
            if args == who { Err(format!("not by {who}")) } else { Ok(()) }
        }
    };
    let [any, first, second, third, handler, rest] = ["any", "1", "2", "3", "handler", "rest"].map(write);
    let running = start(Server::builder().namespace("/", |on| {
        on.on_any(move |_, name, args| any(name, &args.iter().collect::<String>()).expect("never"));
        on.before_event(move |_, name, args| first(name, args.iter().next().unwrap_or_default()));
        on.before_event_async(move |socket, name, args| {
            let second = second.clone();
            async move {
                tokio::task::yield_now().await;
                assert!(socket.is_connected());
                second(&name, &args.iter().collect::<String>())
            }
        });
        on.before_event(move |_, name, args| third(name, &args.iter().collect::<String>()));
        on.on_named("known", move |_, args, ack| {
            let _ = handler("known", &args.iter().collect::<String>());
            ack.send(&args).expect("as it came");
        });
        on.fallback(move |_, name, args, ack| {
            let _ = rest(name, &args.iter().collect::<String>());
            ack.send(&(name, "?")).expect("writable");
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"421["known",1]"#).await;
    assert_eq!(client.next_text().await, r#"431[{"error":"not by 1"}]"#);
    assert_eq!(take(&log), ["any known 1", "1 known 1"]);
    client.text(r#"422["known",2]"#).await;
    client.text(r#"423["known",3]"#).await;
    client.text(r#"424["known",4]"#).await;
    client.text(r#"425["other",5]"#).await;
    assert_eq!(client.next_text().await, r#"432[{"error":"not by 2"}]"#);
    assert_eq!(client.next_text().await, r#"433[{"error":"not by 3"}]"#);
    assert_eq!(client.next_text().await, "434[4]");
    assert_eq!(client.next_text().await, r#"435["other","?"]"#);
    let mut wanted = vec!["any known 2", "1 known 2", "2 known 2"];
    wanted.extend(["any known 3", "1 known 3", "2 known 3", "3 known 3"]);
    wanted.extend(["any known 4", "1 known 4", "2 known 4", "3 known 4", "handler known 4"]);
    wanted.extend(["any other 5", "1 other 5", "2 other 5", "3 other 5", "rest other 5"]);
    assert_eq!(take(&log), wanted);
}

#[tokio::test]
async fn a_panic_around_an_event_costs_only_that_event() {
    let running = start(crate::echo().namespace("/", |on| {
        on.on_any(|_, name, _| assert_ne!(name, "seen"));
        on.before_event(|_, name, _| if name == "decided" { panic!("on purpose") } else { Ok::<(), ()>(()) });
        on.fallback_async(|_, name, _args, _ack| async move { assert_ne!(name, "left over") });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    for (id, name) in ["seen", "decided", "left over", "none of those", "echo"].iter().enumerate() {
        client.text(&format!(r#"42{id}["{name}"]"#)).await;
        assert_eq!(client.next_text().await, format!("43{id}[]"));
    }
}

#[tokio::test]
async fn an_event_is_handled_though_who_sees_it_panics() {
    let running = start(crate::echo().namespace("/", |on| {
        on.on_any(|_, _, _| panic!("on purpose"));
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"421["echo",7]"#).await;
    assert_eq!(client.next_text().await, "431[7]");
}

#[tokio::test]
async fn the_result_of_a_named_handler_is_its_ack() {
    let running = start(Server::builder().namespace("/", |on| {
        on.on_call("divide", |_, args| {
            let (a, b): (u32, u32) = args.decode()?;
            if a > 100 {
                return Err(Refusal::new("too large").with_data(&100)?);
            }
            a.checked_div(b).map(|quotient| (quotient, a % b)).ok_or_else(|| "by zero".into())
        });
        on.on_call_async("later", |_, args| async move {
            tokio::task::yield_now().await;
            let (result,): (Result<(), u32>,) = args.decode().expect("a result");
            result
        });
    }))
    .await;
    let mut client = Ws::join(running.address).await;
    for (event, answer) in [
        (r#"["divide",7,2]"#, "[3,1]"),
        (r#"["divide",7,0]"#, r#"[{"error":{"message":"by zero"}}]"#),
        (r#"["divide",101,1]"#, r#"[{"error":{"message":"too large","data":100}}]"#),
        (r#"["divide",7]"#, r#"[{"error":{"message":"invalid length 1, expected a tuple of size 2"}}]"#),
        (r#"["later",{"Ok":null}]"#, "[]"),
        (r#"["later",{"Err":7}]"#, r#"[{"error":7}]"#),
    ] {
        client.text(&format!("421{event}")).await;
        assert_eq!(client.next_text().await, format!("431{answer}"));
    }
}

#[tokio::test]
async fn what_is_sent_is_seen_once_and_before_it_goes_out() {
    let log = Log::default();
    let seen = log.clone();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_any_outgoing(|name, _, _| assert_ne!(name, "panic"));
        on.on_any_outgoing(move |name, args, to| {
            let whom = match to.socket() {
                Some(socket) => socket.namespace().len().to_string(),
                None if to.is_everybody() => "all".to_owned(),
                None => to.rooms().collect::<Vec<_>>().join("+"),
            };
            let singles = to.sockets().count();
            let (rooms, others) =
                (to.except_rooms().collect::<Vec<_>>().join("+"), to.except_sockets().count());
            let event = format!("{}{name} {}", to.namespace_name(), args.iter().collect::<String>());
            let line = format!("{event} to {whom} and {singles} but {rooms} and {others}");
            log.lock().expect("no panic").push(line);
            if let Some(socket) = to.socket() {
                socket.emit_named("unseen", &()).expect("writable");
            }
        });
        on.on_named("send", |socket, _, ack| {
            let everybody = socket.namespace().everybody();
            everybody.emit_named("all", &1);
            everybody.clone().to(["a", "b"]).except("c").emit_named("some", &2);
            everybody.clone().volatile().emit_named("nobody", &3).expect("writable");
            everybody.emit_named("panic", &4);
            socket.emit_named("one", &5).expect("writable");
            drop(socket.to("d").to_socket(socket).emit_named_with_ack("asked", &6).expect("writable"));
            ack.send("sent").expect("writable");
        });
    }))
    .await;
    let _other = Ws::join(running.address).await;
    let mut client = Ws::join(running.address).await;
    client.text(r#"421["send"]"#).await;
    for packet in
        ["2[\"all\",1]", "2[\"nobody\",3]", "2[\"panic\",4]", "2[\"unseen\"]", "2[\"one\",5]", "31[\"sent\"]"]
    {
        assert_eq!(client.next_text().await, format!("4{packet}"));
    }
    let wanted = [
        "/all 1 to all and 0 but  and 0",
        "/some 2 to a+b and 0 but c and 0",
        "/nobody 3 to all and 0 but  and 0",
        "/panic 4 to all and 0 but  and 0",
        "/one 5 to 2 and 0 but  and 0",
        "/asked 6 to d and 1 but  and 1",
    ];
    assert_eq!(take(&seen), wanted);
}
