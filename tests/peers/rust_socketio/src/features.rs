//! The features.

use super::{Options, PATIENCE, Talk, bytes, values};
use rust_socketio::{Payload, TransportType};
use serde_json::{Value, json};
use std::io::BufRead;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const COUNT: u32 = 1000;
const LIMIT: usize = 1_000_000;

pub fn run(url: &str, feature: &str) {
    use TransportType::{Polling, Websocket, WebsocketUpgrade};
    let each = |check: fn(&Talk)| {
        for transport in [Websocket, Polling, WebsocketUpgrade] {
            let talk = Talk::join(Options::over(url, transport));
            check(&talk);
            talk.client.disconnect().expect("it leaves");
        }
    };
    match feature {
        "websocket" => converse(&Talk::join(Options::over(url, Websocket))),
        "polling" => converse(&Talk::join(Options::over(url, Polling))),
        "change" => converse(&Talk::join(Options::over(url, WebsocketUpgrade))),
        "heartbeat" => {
            for transport in [Websocket, Polling] {
                let talk = Talk::join(Options { path: "/brisk/", ..Options::over(url, transport) });
                // It would be put out by then if it had not answered.
                assert_eq!(talk.ask("patience", vec![json!(2_500)]), [json!("over")]);
            }
        }
        "acks" => each(|talk| {
            for number in 0..100 {
                assert_eq!(talk.ask("echo", vec![json!(number)]), [json!(number)]);
            }
            assert_eq!(talk.ask("echo", vec![json!("a"), json!([1])]), [json!("a"), json!([1])]);
            assert!(talk.ask("nobody hears this", vec![json!(1)]).is_empty());
        }),
        "ack_timeout" => each(ack_timeout),
        "text" => each(text),
        "names" => each(names),
        "values" => each(numbers_and_depth),
        "binary" => {
            for transport in [Websocket, WebsocketUpgrade] {
                let talk = Talk::join(Options::over(url, transport));
                // It takes the byte 0x1E for the end of a packet, also here.
                let long: Vec<u8> =
                    (0..70_000_u32).map(|i| (i & 255) as u8).filter(|byte| *byte != 0x1e).collect();
                for sent in [long, vec![0], vec![0x1f, 255]] {
                    talk.emit("bounce", sent.clone());
                    assert_eq!(bytes(talk.next("bounce")), sent);
                    talk.emit("size", sent.clone());
                    assert_eq!(values(talk.next("size")), [json!(sent.len())]);
                }
            }
        }
        "flood" => {
            let talk = Talk::join(Options::over(url, Polling));
            for number in 0..50 {
                talk.emit("bounce", vec![json!(number), json!("x".repeat(30_000))]);
            }
            for number in 0..50 {
                assert_eq!(values(talk.next("bounce"))[0], json!(number));
            }
        }
        "silence" => {
            let talk = Talk::join(Options { path: "/brisk/", ..Options::over(url, Websocket) });
            server("freeze");
            talk.next("error");
            server("thaw");
        }
        "limit" => each(limit),
        "over_the_limit" => {
            for transport in [Websocket, Polling] {
                let talk = Talk::join(Options::over(url, transport));
                // The request fails, or the WebSocket does.
                if talk.client.emit("size", json!(sized(LIMIT + 1))).is_ok() {
                    talk.next("error");
                }
            }
        }
        "volatile" => volatile(url),
        "auth" => {
            let within = || Options::over(url, Websocket).within("/auth");
            refused(Options { auth: Some(json!({"token": "wrong"})), ..within() }, "go away");
            let talk = Talk::join(Options { auth: Some(json!({"token": "right"})), ..within() });
            assert_eq!(talk.ask("echo", vec![json!("in")]), [json!("in")]);
        }
        "refusal" => {
            for transport in [Websocket, Polling, WebsocketUpgrade] {
                refused(Options::over(url, transport.clone()).within("/refused"), r#""data":{"code":7}"#);
                refused(Options::over(url, transport).within("/unknown"), "Invalid namespace");
            }
        }
        "dynamic" => {
            let name = format!("/of/{}-🦀", std::process::id());
            for transport in [Websocket, Polling, WebsocketUpgrade] {
                let talk = Talk::join(Options::over(url, transport).within(&name));
                assert_eq!(talk.ask("echo", vec![json!("here")]), [json!("here")]);
                talk.client.disconnect().expect("it leaves");
            }
        }
        "rooms" => rooms(url),
        "broadcast" => broadcast(url),
        "disconnects" => disconnects(url),
        "reconnect" => {
            for transport in [Websocket, WebsocketUpgrade] {
                let talk = Talk::join(Options { reconnect: true, ..Options::over(url, transport) });
                talk.emit("kick", json!(0));
                talk.next("close");
                comes_back(&talk);
            }
        }
        "restart" | "crash" => {
            let talk = Talk::join(Options { reconnect: true, ..Options::over(url, Websocket) });
            server(if feature == "crash" { "kill" } else { "stop" });
            talk.next("error");
            server("start");
            comes_back(&talk);
        }
        other => panic!("there is no feature {other}"),
    }
}

fn converse(talk: &Talk) {
    talk.emit("count", json!(COUNT));
    for number in 1..=COUNT {
        talk.emit("bounce", json!(number));
    }
    let (mut numbers, mut bounced) = (Vec::new(), Vec::new());
    while numbers.len() < COUNT as usize || bounced.len() < COUNT as usize {
        let (event, payload) = talk.heard.recv_timeout(PATIENCE).expect("an event comes");
        match event.as_str() {
            "number" => numbers.extend(values(payload)),
            "bounce" => bounced.extend(values(payload)),
            other => panic!("{other}: {payload:?}"),
        }
    }
    let all: Vec<Value> = (1..=COUNT).map(Value::from).collect();
    assert_eq!(numbers, all);
    assert_eq!(bounced, all);
}

fn comes_back(talk: &Talk) {
    talk.next("open");
    assert_eq!(talk.ask("echo", vec![json!("back")]), [json!("back")]);
}

fn refused(options: Options<'_>, words: &str) {
    let error = format!("{:?}", Talk::knock(options).next("error")).replace('\\', "");
    assert!(error.contains(words), "{error}");
}

fn ack_timeout(talk: &Talk) {
    let (sender, answer) = channel();
    let tell = move |answer: Payload, _| drop(sender.send(answer));
    let asked = talk.client.emit_with_ack("silent", json!(0), Duration::from_millis(200), tell);
    asked.expect("it can be sent");
    assert_eq!(
        answer.recv_timeout(Duration::from_millis(400)),
        Err(RecvTimeoutError::Timeout),
        "it tells nobody"
    );
    assert_eq!(talk.ask("echo", vec![json!("soon")]), [json!("soon")]);
}

/// The same arguments come back in an event and in an ack.
fn comes_back_as_it_is(talk: &Talk, arguments: &[Value]) {
    talk.emit("bounce", arguments.to_vec());
    assert_eq!(values(talk.next("bounce")), arguments);
    assert_eq!(talk.ask("echo", arguments.to_vec()), arguments);
}

fn text(talk: &Talk) {
    let texts = [
        "",
        "é",
        "\u{2028}\u{2029}",
        "a\u{1e}b",
        "\0\u{1f}\u{7f}",
        "🦀 astral 👩‍👩‍👧 𝄞",
        r#"\n \\ " ' / </script>"#,
    ];
    for text in texts {
        comes_back_as_it_is(talk, &[json!(text), json!({ text: text })]);
    }
    comes_back_as_it_is(talk, &[json!(texts.concat().repeat(500))]);
}

fn names(talk: &Talk) {
    for name in ["__proto__", "constructor", "hasOwnProperty", "", "é\u{2028}🦀", &"n".repeat(10_000)] {
        assert_eq!(talk.ask(name, vec![json!("by name")]), [json!("by name")]);
        assert_eq!(values(talk.next(name)), [json!("by name")]);
    }
    comes_back_as_it_is(talk, &[json!({"__proto__": [1], "constructor": null, "": {"toString": 2}})]);
}

fn numbers_and_depth(talk: &Talk) {
    comes_back_as_it_is(talk, &(1..=200).map(Value::from).collect::<Vec<_>>());
    comes_back_as_it_is(
        talk,
        &[json!(null), json!(true), json!([]), json!({}), json!({"a": {"b": [[], {}]}})],
    );
    comes_back_as_it_is(
        talk,
        &[
            json!(0),
            json!(-1),
            json!(1.5e-7),
            json!(5e-324),
            json!(f64::MAX),
            json!(u64::MAX),
            json!(i64::MIN),
        ],
    );
    let nested = (0..100).fold(json!("deep"), |inner, _| json!([inner]));
    comes_back_as_it_is(talk, &[nested]);
}

/// The argument of an event `size` whose message is so many bytes long.
fn sized(length: usize) -> String {
    "x".repeat(length - r#"42["size",""]"#.len())
}

fn limit(talk: &Talk) {
    let words = sized(LIMIT);
    talk.emit("size", json!(words));
    assert_eq!(values(talk.next("size")), [json!(words.len())]);
}

fn volatile(url: &str) {
    let (talk, other) = (
        Talk::join(Options::over(url, TransportType::Websocket)),
        Talk::join(Options::over(url, TransportType::Websocket)),
    );
    let room = format!("volatile {}", std::process::id());
    other.ask("join", vec![json!(room)]);
    talk.emit("volatile", vec![json!(room), json!(1000)]);
    let mut heard = Vec::new();
    loop {
        let (event, payload) = other.heard.recv_timeout(PATIENCE).expect("an event comes");
        match event.as_str() {
            "number" => heard.push(values(payload)[0].as_u64().expect("a number")),
            _ => break,
        }
    }
    assert!(!heard.is_empty() && heard.is_sorted_by(|a, b| a < b), "in order, none twice: {heard:?}");
}

fn rooms(url: &str) {
    let join = || Talk::join(Options::over(url, TransportType::WebsocketUpgrade));
    let (speaker, member, stranger) = (join(), join(), join());
    let room = json!(format!("room of {}", std::process::id()));
    for talk in [&speaker, &member] {
        assert_eq!(talk.ask("join", vec![room.clone()]), [json!("joined")]);
    }
    speaker.emit("tell", vec![room.clone(), json!("🦀")]);
    assert_eq!(values(member.next("told")), [json!("🦀")]);
    assert_eq!(member.ask("leave", vec![room.clone()]), [json!("left")]);
    speaker.emit("tell", vec![room, json!("nobody hears this")]);
    speaker.ask("echo", vec![json!(1)]);
    for talk in [&speaker, &member, &stranger] {
        talk.emit("bounce", json!("after all that was sent before"));
        let (event, payload) = talk.heard.recv_timeout(PATIENCE).expect("an event comes");
        assert_eq!(event, "bounce", "{payload:?}");
    }
}

fn broadcast(url: &str) {
    let name = format!("/of/broadcast-{}", std::process::id());
    let join = || Talk::join(Options::over(url, TransportType::WebsocketUpgrade).within(&name));
    let (speaker, other) = (join(), join());
    speaker.emit("shout", json!("to all others"));
    assert_eq!(values(other.next("shout")), [json!("to all others")]);
    speaker.emit("shout", vec![1_u8, 2, 3]);
    assert_eq!(bytes(other.next("shout")), [1, 2, 3]);
    speaker.emit("bounce", json!("after all that was sent before"));
    assert_eq!(speaker.heard.recv_timeout(PATIENCE).expect("an event comes").0, "bounce");
}

fn disconnects(url: &str) {
    let observer = Talk::join(Options::over(url, TransportType::Websocket));
    for transport in [TransportType::Websocket, TransportType::Polling] {
        for (part, told) in [
            ("leave", "client namespace disconnect"),
            ("kick", "server namespace disconnect"),
            ("cut", "forced close"),
        ] {
            let talk = Talk::join(Options::over(url, transport.clone()));
            let id = talk.ask("id", vec![json!(0)]);
            match part {
                "leave" => talk.client.disconnect().expect("it leaves"),
                part => talk.emit(part, json!(0)),
            }
            // It knows no reasons. Of a WebSocket that ends it says that it was an error, of a poll nothing.
            match (part, &transport) {
                ("cut", TransportType::Polling) => {}
                ("cut", _) => drop(talk.next("error")),
                _ => drop(talk.next("close")),
            }
            assert_eq!(observer.ask("gone", id), [json!(told)]);
        }
    }
}

/// Has the test stop, start or kill the server.
fn server(order: &str) {
    println!("server {order}");
    std::io::stdin().lock().lines().next().expect("an answer").expect("it is text");
}
