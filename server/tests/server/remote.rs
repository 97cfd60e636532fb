//! Sockets found, moved and put out by where they are, on one server and on several.

use crate::support::{Running, Ws, start, within};
use encke_server::{Answer, Backplane, Namespace, RemoteSocket, Server, ServerBuilder, SocketId};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Tells who has entered, and who has left which rooms.
struct House {
    running: Running,
    entered: UnboundedReceiver<SocketId>,
    left: UnboundedReceiver<Vec<String>>,
}

impl House {
    async fn open(builder: ServerBuilder) -> Self {
        let ((entering, entered), (leaving, left)) = (unbounded_channel(), unbounded_channel());
        let builder = builder.namespace("/", |on| {
            on.on_connect(move |socket| tell(&entering, socket.id()));
            on.on_disconnect(move |socket, _reason| {
                tell(&leaving, sorted(socket.rooms().iter()));
                assert_eq!(socket.namespace().find(socket.id()), None, "it is not there any more");
            });
        });
        Self { running: start(builder).await, entered, left }
    }

    fn namespace(&self) -> Namespace {
        self.running.server.namespace("/").expect("added")
    }

    async fn client(&mut self, rooms: &[&str]) -> (Ws<TcpStream>, SocketId) {
        let client = Ws::join(self.running.address).await;
        let id = within(self.entered.recv()).await.expect("an id");
        self.namespace().find(id).expect("there").join(rooms);
        (client, id)
    }
}

fn tell<T>(listener: &UnboundedSender<T>, what: T) {
    // The test may be over.
    let _ = listener.send(what);
}

fn sorted(rooms: impl Iterator<Item = impl ToString>) -> Vec<String> {
    let mut rooms: Vec<String> = rooms.map(|room| room.to_string()).collect();
    rooms.sort_unstable();
    rooms
}

fn ids(sockets: &[RemoteSocket]) -> Vec<SocketId> {
    let mut ids: Vec<SocketId> = sockets.iter().map(RemoteSocket::id).collect();
    ids.sort_unstable();
    ids
}

fn both(a: SocketId, b: SocketId) -> Vec<SocketId> {
    if a < b { vec![a, b] } else { vec![b, a] }
}

#[tokio::test]
async fn who_is_meant_enters_and_leaves_rooms() {
    let mut house = House::open(Server::builder()).await;
    let (_a, a_id) = house.client(&["red"]).await;
    let (_b, b_id) = house.client(&["red", "muted"]).await;
    let namespace = house.namespace();
    namespace.to("red").except("muted").join(["blue", "green"]);
    namespace.everybody().leave("red").await.expect("done");
    let rooms = |id| sorted(namespace.find(id).expect("there").rooms().iter());
    assert_eq!((rooms(a_id), rooms(b_id)), (vec!["blue".into(), "green".into()], vec!["muted".into()]));
    assert_eq!(sorted(namespace.rooms().iter()), ["blue", "green", "muted"]);
    let found = namespace.to(["green", "blue"]).fetch_sockets().await;
    assert_eq!(ids(&found), [a_id]);
    assert_eq!(sorted(found[0].rooms().iter()), ["blue", "green"]);
    assert_eq!(found[0].local().map(|socket| socket.id()), Some(a_id));
    assert_eq!(namespace.to("muted").sockets().len(), 1);
}

#[tokio::test]
async fn who_is_meant_is_put_out_and_a_handler_still_knows_its_rooms() {
    let mut house = House::open(Server::builder().namespace("/other", |_| {})).await;
    let (mut a, a_id) = house.client(&["red", "blue"]).await;
    let (mut b, _) = house.client(&["blue"]).await;
    let (mut c, _) = house.client(&[]).await;
    a.text("40/other,").await;
    assert!(a.next_text().await.starts_with("40/other,"));
    house.namespace().to("red").disconnect();
    assert_eq!(a.next_text().await, "41");
    assert_eq!(within(house.left.recv()).await.expect("rooms"), ["blue", "red"]);
    assert!(house.namespace().find(a_id).is_none());
    a.text("41/other,").await;
    house.namespace().to("blue").close();
    assert_eq!(b.close_code().await, 1000);
    assert_eq!(within(house.left.recv()).await.expect("rooms"), ["blue"]);
    assert!(house.namespace().rooms().is_empty());
    house.namespace().everybody().emit_named("still here", &());
    assert_eq!(c.next_text().await, r#"42["still here"]"#);
}

#[tokio::test]
async fn what_is_fetched_can_be_sent_to_and_moved_wherever_it_is() {
    let backplane = Backplane::new();
    let mut here = House::open(Server::builder().backplane(&backplane)).await;
    let mut there = House::open(Server::builder().backplane(&backplane)).await;
    let (_a, a_id) = here.client(&["red"]).await;
    let (mut b, b_id) = there.client(&["red"]).await;
    let namespace = here.namespace();
    let found = namespace.to("red").fetch_sockets().await;
    assert_eq!(ids(&found), both(a_id, b_id));
    assert_eq!(ids(&namespace.to("red").local().fetch_sockets().await), [a_id]);
    let far = found.iter().find(|socket| socket.id() == b_id).expect("found");
    assert!(far.local().is_none());
    far.emit_named("hello", &1);
    far.join("blue");
    far.leave("red");
    assert_eq!(b.next_text().await, r#"42["hello",1]"#);
    assert_eq!(ids(&namespace.to("blue").fetch_sockets().await), [b_id]);
    assert_eq!(ids(&namespace.to("red").fetch_sockets().await), [a_id]);
    namespace.to("blue").local().disconnect();
    far.disconnect();
    assert_eq!(b.next_text().await, "41");
    assert_eq!(within(there.left.recv()).await.expect("rooms"), ["blue"]);
}

#[tokio::test]
async fn clients_of_all_servers_answer_whoever_asks() {
    let backplane = Backplane::new();
    let mut here = House::open(Server::builder().backplane(&backplane)).await;
    let mut there = House::open(Server::builder().backplane(&backplane)).await;
    let (mut a, a_id) = here.client(&[]).await;
    let (mut b, b_id) = there.client(&[]).await;
    let everybody = there.namespace().everybody().timeout(Duration::from_secs(60));
    let mut answers = everybody.emit_named_with_ack("ask", &()).expect("writable");
    for (client, id) in [(&mut a, a_id), (&mut b, b_id)] {
        let asked = client.next_text().await;
        let number =
            asked.strip_prefix("42").and_then(|rest| rest.strip_suffix(r#"["ask"]"#)).expect("asked");
        client.text(&format!("43{number}[]")).await;
        let answer = within(answers.next()).await.expect("one more");
        assert!(matches!(answer, Answer { socket, result: Ok(_) } if socket == id), "{answer:?}");
    }
    assert!(within(answers.next()).await.is_none());
    let everybody = here.namespace().everybody().timeout(Duration::from_secs(60));
    let mut answers = everybody.emit_named_with_ack("ask", &()).expect("writable");
    there.namespace().everybody().local().close();
    let answer = within(answers.next()).await.expect("one has left");
    assert!(matches!(answer, Answer { socket, result: Err(_) } if socket == b_id), "{answer:?}");
}
