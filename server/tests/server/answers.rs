//! Events to many that each of them answers: every wait ends, by what came of each.

use crate::support::{Ws, start, within};
use encke_server::contract::{Event, ToClient};
use encke_server::{AckError, Answer, Namespace, Server, SocketId};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::net::TcpStream;

const LONG: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
struct Ready;

impl Event for Ready {
    const NAME: &'static str = "ready?";
    type Direction = ToClient;
    type Ack = u32;
    type Error = String;
}

/// So many clients that have entered, with their sockets' ids.
async fn crowd<const N: usize>() -> (Namespace, [Ws<TcpStream>; N], [SocketId; N]) {
    let (sender, mut ids) = tokio::sync::mpsc::unbounded_channel();
    let running = start(Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.id()).expect("the test listens"));
    }))
    .await;
    let (mut clients, mut sockets) = (Vec::new(), Vec::new());
    for _ in 0..N {
        clients.push(Ws::join(running.address).await);
        sockets.push(within(ids.recv()).await.expect("an id"));
    }
    let namespace = running.server.namespace("/").expect("registered");
    let clients = clients.try_into().unwrap_or_else(|_| unreachable!("as many as were made"));
    (namespace, clients, sockets.try_into().expect("as many"))
}

/// The number of the event that a client was sent.
async fn asked(client: &mut Ws<TcpStream>) -> String {
    let text = client.next_text().await;
    let id = text.strip_prefix("42").and_then(|rest| rest.split_once('[')).expect("an event");
    assert!(id.1.starts_with(r#""ready?""#), "{text}");
    id.0.to_owned()
}

#[tokio::test]
async fn each_answers_for_itself_and_answers_come_as_they_are_given() {
    let (namespace, mut clients, ids) = crowd::<3>().await;
    let mut answers = namespace.everybody().timeout(LONG).emit_with_ack(&Ready).expect("writable");
    for (turn, reply) in [(2, "[7]"), (0, r#"[{"error":"no"}]"#), (1, "[-1]")] {
        let id = asked(&mut clients[turn]).await;
        clients[turn].text(&format!("43{id}{reply}")).await;
        let answer = within(answers.next()).await.expect("one more");
        assert_eq!(answer.socket, ids[turn]);
        match answer.result {
            Ok(7) => assert_eq!(turn, 2),
            Err(AckError::Refused(error)) => assert_eq!((turn, &*error), (0, "no")),
            Err(AckError::Malformed) => assert_eq!(turn, 1),
            other => panic!("{other:?}"),
        }
    }
    assert!(within(answers.next()).await.is_none());
}

#[tokio::test]
async fn a_second_answer_and_one_of_somebody_who_was_not_asked_count_for_nothing() {
    let (namespace, [mut first, mut second, mut stranger], ids) = crowd::<3>().await;
    let everybody = namespace.everybody().except_socket(ids[2]).timeout(LONG);
    let answers = everybody.emit_named_with_ack("ready?", &()).expect("writable");
    let id = asked(&mut first).await;
    assert_eq!(asked(&mut second).await, id, "the same bytes for all");
    assert!(id.parse::<i32>().expect("32 bits are enough") >= 1 << 30, "no socket's own: {id}");
    stranger.text(&format!(r#"43{id}["stranger"]"#)).await;
    stranger.settle().await;
    for reply in ["once", "twice"] {
        first.text(&format!(r#"43{id}["{reply}"]"#)).await;
    }
    first.settle().await;
    second.text(&format!(r#"43{id}["me too"]"#)).await;
    let all: Vec<_> = within(answers.all()).await.into_iter().map(text).collect();
    assert_eq!(all, [(ids[0], "once".to_owned()), (ids[1], "me too".to_owned())]);
}

fn text(Answer { socket, result }: Answer) -> (SocketId, String) {
    let (text,) = result.expect("an answer").decode().expect("one text");
    (socket, text)
}

#[tokio::test]
async fn who_leaves_is_not_waited_for_and_who_is_silent_no_longer_than_was_said() {
    let (namespace, [mut leaving, mut silent], ids) = crowd::<2>().await;
    let mut answers = namespace.everybody().timeout(LONG).emit_with_ack(&Ready).expect("writable");
    asked(&mut leaving).await;
    leaving.text("41").await;
    let gone = within(answers.next()).await.expect("one more");
    assert!(gone.socket == ids[0] && matches!(gone.result, Err(AckError::Disconnected)), "{gone:?}");
    let short =
        namespace.everybody().timeout(Duration::from_millis(10)).emit_with_ack(&Ready).expect("writable");
    let all = within(short.all()).await;
    assert!(
        matches!(&all[..], [late] if late.socket == ids[1] && matches!(late.result, Err(AckError::Timeout)))
    );
    let first = asked(&mut silent).await;
    let late = asked(&mut silent).await;
    silent.text(&format!("43{late}[1]")).await;
    silent.text(&format!("43{first}[2]")).await;
    assert!(matches!(within(answers.all()).await[..], [Answer { result: Ok(2), .. }]));
}

#[tokio::test]
async fn nobody_is_not_waited_for() {
    let (namespace, _clients, _ids) = crowd::<1>().await;
    let answers = namespace.to("nobody's").timeout(LONG).emit_with_ack(&Ready).expect("writable");
    assert!(within(answers.all()).await.is_empty());
}
