//! Servers that share a backplane: one namespace on all of them.

use crate::recovery::{Client, House, Memory, recovering};
use crate::support::within;
use encke_server::{AckError, Backplane, Namespace, Parser, Recovery, Server, ServerBuilder};
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
