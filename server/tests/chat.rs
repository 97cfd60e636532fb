//! The chat application over real connections.

#[path = "support/raw.rs"]
mod support;

use encke_server::chat::{Chat, HistoryLimits};
use encke_server::{Server, ServerBuilder};
use serde_json::{Value, json};
use support::{Polling, Ws, start};
use tokio::net::TcpStream;

fn chat() -> ServerBuilder {
    Server::builder().namespace("/", |on| Chat::new(HistoryLimits::default()).register(on))
}

struct Person(Ws<TcpStream>);

impl Person {
    async fn join(address: std::net::SocketAddr, name: &str) -> (Self, Value) {
        let mut person = Self(Ws::join(address).await);
        let joined = person.ask("join", json!({ "name": name })).await;
        (person, joined)
    }

    /// Emits and waits for the ack, which must be the next packet.
    async fn ask(&mut self, event: &str, payload: Value) -> Value {
        self.0.text(&format!(r#"420["{event}",{payload}]"#)).await;
        let text = self.0.next_text().await;
        serde_json::from_str::<Vec<Value>>(text.strip_prefix("430").expect(&text)).expect("JSON").remove(0)
    }

    async fn heard(&mut self) -> (String, Value) {
        let text = self.0.next_text().await;
        serde_json::from_str(text.strip_prefix("42").expect(&text)).expect("an event")
    }
}

#[tokio::test]
async fn a_message_reaches_all_others_and_is_acknowledged_to_its_author() {
    let running = start(chat()).await;
    let (mut ann, joined) = Person::join(running.address, " Ann ").await;
    assert_eq!(joined, json!({ "name": "Ann", "people": ["Ann"], "history": [] }));
    let (mut bob, joined) = Person::join(running.address, "Bob").await;
    assert_eq!(joined["people"], json!(["Ann", "Bob"]));
    assert_eq!(ann.heard().await, ("arrived".to_owned(), json!({ "name": "Bob" })));
    let said = ann.ask("say", json!({ "key": "k1", "text": "hi <b>🦀</b>" })).await;
    assert_eq!(said["id"], 1);
    let posted = json!({ "id": 1, "key": "k1", "name": "Ann", "text": "hi <b>🦀</b>", "at": said["at"] });
    assert_eq!(bob.heard().await, ("posted".to_owned(), posted.clone()));
    let (_cid, joined) = Person::join(running.address, "Cid").await;
    assert_eq!(joined["history"], json!([posted]));
    assert_eq!(bob.heard().await.0, "arrived");
    drop(bob);
    assert_eq!(ann.heard().await, ("arrived".to_owned(), json!({ "name": "Cid" })));
    assert_eq!(ann.heard().await, ("left".to_owned(), json!({ "name": "Bob" })));
}

#[tokio::test]
async fn a_message_that_is_sent_again_is_shown_once() {
    let running = start(chat()).await;
    let (mut ann, _) = Person::join(running.address, "Ann").await;
    let (mut bob, _) = Person::join(running.address, "Bob").await;
    assert_eq!(ann.heard().await.0, "arrived");
    let first = ann.ask("say", json!({ "key": "k", "text": "once" })).await;
    assert_eq!(ann.ask("say", json!({ "key": "k", "text": "once" })).await, first);
    ann.ask("say", json!({ "key": "l", "text": "then" })).await;
    assert_eq!(bob.heard().await.1["text"], "once");
    assert_eq!(bob.heard().await.1["text"], "then");
}

#[tokio::test]
async fn names_are_made_different_and_bad_input_is_refused() {
    let running = start(chat()).await;
    let (mut ann, _) = Person::join(running.address, "Ann").await;
    let (mut other, joined) = Person::join(running.address, "ann").await;
    assert_eq!(joined["name"], "ann 2");
    assert_eq!(other.ask("join", json!({ "name": "again" })).await["name"], "ann 2", "one joins once");
    assert_eq!(ann.heard().await.0, "arrived");
    let long = "x".repeat(4_001);
    for (event, payload, error) in [
        ("say", json!({ "key": "k", "text": " \n" }), "empty"),
        ("say", json!({ "key": "", "text": "x" }), "empty"),
        ("say", json!({ "key": "k", "text": long }), "too-long"),
        ("say", json!({ "key": "k".repeat(65), "text": "x" }), "too-long"),
    ] {
        assert_eq!(ann.ask(event, payload).await, json!({ "error": error }));
    }
    let mut stranger = Person(Ws::join(running.address).await);
    assert_eq!(
        stranger.ask("say", json!({ "key": "k", "text": "x" })).await,
        json!({ "error": "not-joined" })
    );
    assert_eq!(stranger.ask("join", json!({ "name": " " })).await, json!({ "error": "empty" }));
    assert_eq!(stranger.ask("join", json!({ "name": "x".repeat(41) })).await, json!({ "error": "too-long" }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_what_follows_it_make_one_sequence() {
    const MESSAGES: u64 = 150;
    let running = start(chat()).await;
    let (mut ann, _) = Person::join(running.address, "Ann").await;
    let speaking = tokio::spawn(async move {
        for number in 0..MESSAGES {
            ann.0.text(&format!(r#"42["say",{{"key":"{number}","text":"{number}"}}]"#)).await;
            tokio::task::yield_now().await;
        }
        ann
    });
    let mut readers = Vec::new();
    for reader in 0..20 {
        readers.push(Person::join(running.address, &format!("reader {reader}")).await);
    }
    for (person, joined) in &mut readers {
        let history = joined["history"].as_array().expect("a list");
        let mut ids: Vec<u64> =
            history.iter().map(|posted| posted["id"].as_u64().expect("a number")).collect();
        while ids.len() < usize::try_from(MESSAGES).expect("small") {
            let (event, payload) = person.heard().await;
            if event == "posted" {
                ids.push(payload["id"].as_u64().expect("a number"));
            }
        }
        assert!(ids.into_iter().eq(1..=MESSAGES));
    }
    speaking.await.expect("no panic");
}

#[tokio::test]
async fn a_polling_client_chats_like_any_other() {
    let running = start(chat()).await;
    let mut client = Polling::join(running.address).await;
    client.post(r#"420["join",{"name":"Polly"}]"#).await;
    assert_eq!(client.poll().await, r#"430[{"name":"Polly","people":["Polly"],"history":[]}]"#);
}
