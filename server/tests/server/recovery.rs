//! Clients that come back: what they missed, where they were, and when that is over.

use crate::support::{PATH, Polling, Running, Ws, masked, start, within};
use encke_server::{Limits, Parser, Recovery, Refusal, Server, ServerBuilder, Socket};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// A server that tells what its handlers are told.
pub(crate) struct House {
    pub(crate) running: Running,
    pub(crate) told: mpsc::UnboundedReceiver<String>,
    /// Who came last.
    pub(crate) last: Arc<Mutex<Option<Socket>>>,
    pub(crate) closed: Arc<AtomicBool>,
}

impl House {
    pub(crate) async fn open(builder: ServerBuilder) -> Self {
        let (tell, told) = mpsc::unbounded_channel();
        let tell = move |word: String| drop(tell.send(word));
        let last: Arc<Mutex<Option<Socket>>> = Arc::default();
        let closed: Arc<AtomicBool> = Arc::default();
        let (newest, lock) = (last.clone(), closed.clone());
        let builder = builder.namespace("/", |on| {
            on.admit(move |_socket, _auth| match lock.load(Ordering::Acquire) {
                true => Err(Refusal::new("closed")),
                false => Ok(()),
            });
            on.on_named("in", |socket, args, _ack| {
                socket.join(args.decode::<(String,)>().expect("a name").0)
            });
            on.on_named("out", |socket, args, _ack| {
                socket.leave(args.decode::<(String,)>().expect("a name").0)
            });
            on.on_named("is", |socket, args, _ack| {
                socket.set(args.decode::<(u32,)>().expect("a number").0);
            });
            let connects = tell.clone();
            on.on_connect(move |socket| {
                *newest.lock().expect("whole") = Some(socket.clone());
                connects(if socket.is_recovered() { "recovered".into() } else { "new".into() });
            });
            let disconnects = tell.clone();
            on.on_disconnect(move |socket, reason| {
                let end = if socket.is_recoverable() { "perhaps back" } else { "for good" };
                disconnects(format!("{}, {end}", reason.as_server_str()));
            });
            on.on_expired(move |socket| tell(format!("expired with {} rooms", socket.rooms().len())));
        });
        Self { running: start(builder).await, told, last, closed }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
    }

    pub(crate) async fn told(&mut self) -> String {
        within(self.told.recv()).await.expect("it is told")
    }

    pub(crate) fn socket(&self) -> Socket {
        self.last.lock().expect("whole").clone().expect("somebody came")
    }

    pub(crate) fn say(&self, room: &str, number: u32) {
        let namespace = self.running.server.namespace("/").expect("added");
        let to = if room.is_empty() { namespace.everybody() } else { namespace.to(room) };
        to.emit_named("said", &number);
    }

    pub(crate) async fn cut(&mut self, client: Client) -> Memory {
        drop(client.ws);
        self.told_of_cut().await;
        client.memory
    }

    /// Whether a connection breaks off or is closed depends on what was still to be read.
    pub(crate) async fn told_of_cut(&mut self) {
        let told = self.told().await;
        assert!(told.starts_with("transport ") && told.ends_with(", perhaps back"), "{told}");
    }

    /// A client that is there, and has been told of.
    pub(crate) async fn client(&mut self) -> Client {
        let client = Client::open(self.address(), "").await;
        assert_eq!(self.told().await, "new");
        client
    }

    /// A client that comes back and gets its socket again.
    pub(crate) async fn back(&mut self, memory: Memory) -> Client {
        let client = Client::open(self.address(), &memory.auth()).await;
        assert_eq!(self.told().await, "recovered");
        assert_eq!((&client.memory.sid, &client.memory.pid), (&memory.sid, &memory.pid));
        Client { memory, ..client }
    }

    /// A client that comes back is not let in.
    async fn is_closed_to(&self, memory: &Memory) {
        let mut refused = Ws::open(self.address(), &format!("{PATH}&transport=websocket")).await;
        assert!(refused.next_text().await.starts_with("0{"));
        refused.text(&format!("40{}", memory.auth())).await;
        assert_eq!(refused.next_text().await, r#"44{"message":"closed"}"#);
    }

    /// A client that comes back, but is a new one.
    pub(crate) async fn stranger(&mut self, memory: &Memory) -> Client {
        let client = Client::open(self.address(), &memory.auth()).await;
        assert_ne!(client.memory.pid, memory.pid);
        assert_ne!(client.memory.sid, memory.sid);
        client
    }
}

/// What a client knows of its session.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) sid: String,
    pub(crate) pid: String,
    pub(crate) offset: Option<String>,
}

impl Memory {
    pub(crate) fn connected(packet: &str) -> Self {
        let answer: Value = serde_json::from_str(packet.strip_prefix("40").expect(packet)).expect("JSON");
        let text = |name: &str| answer[name].as_str().expect(packet).to_owned();
        Self { sid: text("sid"), pid: text("pid"), offset: None }
    }

    pub(crate) fn auth(&self) -> String {
        let mut auth = serde_json::json!({ "pid": self.pid });
        if let Some(offset) = &self.offset {
            auth["offset"] = offset.as_str().into();
        }
        auth.to_string()
    }

    /// Keeps the offset, as official clients do; the other arguments of the event, its name first.
    pub(crate) fn hear(&mut self, packet: &str) -> Vec<Value> {
        let event: Vec<Value> = serde_json::from_str(packet.trim_start_matches(|c| c != '[')).expect(packet);
        let (offset, rest) = event.split_last().expect("an offset");
        self.offset = Some(offset.as_str().expect(packet).to_owned());
        rest.to_vec()
    }
}

pub(crate) struct Client {
    pub(crate) ws: Ws<TcpStream>,
    pub(crate) memory: Memory,
}

impl Client {
    pub(crate) async fn open(address: SocketAddr, auth: &str) -> Self {
        let mut ws = Ws::open(address, &format!("{PATH}&transport=websocket")).await;
        assert!(ws.next_text().await.starts_with("0{"));
        ws.text(&format!("40{auth}")).await;
        let memory = Memory::connected(&ws.next_text().await);
        Self { ws, memory }
    }

    /// One to whom nothing is offered.
    pub(crate) async fn open_plain(address: SocketAddr) -> Ws<TcpStream> {
        let mut ws = Ws::open(address, &format!("{PATH}&transport=websocket")).await;
        assert!(ws.next_text().await.starts_with("0{"));
        ws.text("40").await;
        let joined = ws.next_text().await;
        assert!(!joined.contains("pid"), "{joined}");
        ws
    }

    pub(crate) async fn said(&mut self) -> u32 {
        let packet = self.ws.next_text().await;
        let event = self.memory.hear(&packet);
        assert_eq!(event[0], "said", "{packet}");
        event[1].as_u64().expect("a number") as u32
    }

    /// A number that one of two servers has told.
    pub(crate) async fn hears(&mut self, heard: &mut [Vec<u64>; 2]) {
        let packet = self.ws.next_text().await;
        let event = self.memory.hear(&packet);
        let number = |index: usize| event[index].as_u64().expect("a number");
        heard[number(1) as usize].push(number(2));
    }

    pub(crate) async fn does(&mut self, what: &str) {
        self.ws.text(&format!("42{what}")).await;
        self.ws.settle().await;
    }
}

pub(crate) fn recovering() -> ServerBuilder {
    Server::builder().recovery(Recovery::default())
}

#[tokio::test]
async fn who_comes_back_is_where_it_was_and_hears_what_it_missed() {
    let mut house = House::open(recovering()).await;
    let mut client = house.client().await;
    let handle = house.socket();
    let mut other = house.client().await;
    client.does(r#"["in","red"]"#).await;
    client.does(r#"["in","blue"]"#).await;
    client.does(r#"["is",7]"#).await;
    house.say("red", 1);
    assert_eq!(client.said().await, 1);
    client.does(r#"["out","blue"]"#).await;
    let memory = house.cut(client).await;
    house.say("blue", 2);
    house.say("red", 3);
    other.does(r#"["in","red"]"#).await;
    house.say("", 4);
    handle.emit_named("said", &5).expect("writable");
    house.running.server.namespace("/").expect("added").to_socket(handle.id()).emit_named("said", &6);
    handle.join("green");
    house.say("green", 7);
    let mut client = house.back(memory).await;
    for number in [3, 4, 5, 6, 7] {
        assert_eq!(client.said().await, number);
    }
    let socket = house.socket();
    assert_eq!(socket.find::<u32>().as_deref(), Some(&7));
    let mut rooms = socket.rooms();
    rooms.sort();
    assert_eq!(rooms, ["green".into(), "red".into()]);
    // The handle from before reaches it too.
    assert!(!handle.is_connected() && !handle.is_recoverable());
    handle.emit_named("said", &8).expect("writable");
    house.say("red", 9);
    assert_eq!((client.said().await, client.said().await), (8, 9));
    assert_eq!((other.said().await, other.said().await), (4, 9));
}

#[tokio::test]
async fn a_client_that_never_heard_anything_comes_back_again_and_again() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let mut memory = house.cut(client).await;
    for number in 0..5 {
        let client = house.back(memory).await;
        memory = house.cut(client).await;
        house.say("", number);
    }
    // Of what it was sent again it has received nothing either.
    let mut client = house.back(memory).await;
    for number in 0..5 {
        assert_eq!(client.said().await, number);
    }
    let memory = house.cut(client).await;
    house.say("", 5);
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 5);
}

#[tokio::test]
async fn a_client_that_comes_back_before_its_connection_was_missed_takes_its_socket_over() {
    let mut house = House::open(recovering()).await;
    let mut old = house.client().await;
    house.say("", 1);
    house.say("", 2);
    assert_eq!(old.said().await, 1);
    let client = Client::open(house.address(), &old.memory.auth()).await;
    assert_eq!(house.told().await, "transport close, perhaps back");
    assert_eq!(house.told().await, "recovered");
    let mut client = Client { memory: old.memory.clone(), ..client };
    assert_eq!(client.said().await, 2);
    assert_eq!(old.said().await, 2);
    assert_eq!(old.ws.close_code().await, 1000);
    house.say("", 3);
    assert_eq!(client.said().await, 3);
    // The old connection has left nothing behind.
    assert_eq!(house.running.server.namespace("/").expect("added").len(), 1);
    let memory = house.cut(client).await;
    house.back(memory).await;
}

/// Up to so many bytes of events.
fn little() -> Recovery {
    Recovery { max_bytes: 1_000, ..Recovery::default() }
}

#[tokio::test]
async fn a_quiet_client_has_missed_nothing_however_old_what_it_last_heard_is() {
    let builder = Server::builder().recovery(little()).ping_interval(Duration::from_millis(300));
    let mut house = House::open(builder).await;
    let mut client = house.client().await;
    house.say("", 1);
    assert_eq!(client.said().await, 1);
    (0..100).for_each(|number| house.say("others", number));
    assert_eq!(client.ws.next_text().await, "2");
    client.ws.text("3").await;
    client.ws.settle().await;
    let memory = house.cut(client).await;
    house.say("", 2);
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 2);
}

#[tokio::test]
async fn who_missed_what_is_not_kept_is_a_new_client_and_the_old_one_is_over() {
    let mut house = House::open(Server::builder().recovery(little())).await;
    let mut client = house.client().await;
    client.does(r#"["in","red"]"#).await;
    let memory = house.cut(client).await;
    (0..100).for_each(|number| house.say("", number));
    house.stranger(&memory).await;
    assert_eq!(house.told().await, "expired with 1 rooms");
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn every_event_without_ack_carries_an_offset() {
    let mut house = House::open(recovering()).await;
    let mut client = house.client().await;
    let socket = house.socket();
    let namespace = house.running.server.namespace("/").expect("added");
    let mut positions = Vec::new();
    socket.emit_named("e", &"text").expect("writable");
    socket.emit_named("e", &()).expect("writable");
    namespace.everybody().emit_named("e", &"text");
    namespace.everybody().volatile().emit_named("e", &"text").expect("writable");
    for args in [1, 0, 1, 1] {
        let packet = client.ws.next_text().await;
        assert_eq!(client.memory.hear(&packet).len(), 1 + args, "{packet}");
        positions.push(client.memory.offset.clone().expect("heard"));
    }
    assert!(positions.iter().all(|offset| offset.len() == 9), "{positions:?}");
    assert_eq!(positions[2], positions[3], "what is volatile has no position of its own");
    let answer = socket.emit_named_with_ack("e", &"text");
    assert_eq!(client.ws.next_text().await, r#"420["e","text"]"#);
    client.ws.text(r#"430["yes"]"#).await;
    assert_eq!(answer.await.expect("answered").decode::<(String,)>().expect("a text").0, "yes");
}

#[tokio::test]
async fn what_was_volatile_is_not_sent_again() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let memory = house.cut(client).await;
    let namespace = house.running.server.namespace("/").expect("added");
    namespace.everybody().volatile().emit_named("said", &1).expect("writable");
    house.say("", 2);
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 2);
}

#[tokio::test]
async fn nobody_is_recovered_after_the_window() {
    let window = Duration::from_millis(50);
    let mut house = House::open(Server::builder().recovery(Recovery { window, ..Recovery::default() })).await;
    let client = house.client().await;
    let socket = house.socket();
    let memory = house.cut(client).await;
    assert_eq!(house.told().await, "expired with 0 rooms");
    assert!(!socket.is_recoverable());
    house.stranger(&memory).await;
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn who_left_or_was_put_out_or_broke_the_protocol_does_not_come_back() {
    let mut house = House::open(recovering()).await;
    for reason in ["client namespace disconnect", "server namespace disconnect", "parse error"] {
        let mut client = house.client().await;
        match reason {
            "client namespace disconnect" => client.ws.text("41").await,
            "server namespace disconnect" => house.socket().disconnect(),
            _ => client.ws.text("4?").await,
        }
        assert_eq!(house.told().await, format!("{reason}, for good"));
        house.stranger(&client.memory).await;
        assert_eq!(house.told().await, "new");
        house.told_of_cut().await;
    }
}

#[tokio::test]
async fn who_is_not_admitted_may_come_back_later() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let memory = house.cut(client).await;
    house.say("", 1);
    house.closed.store(true, Ordering::Release);
    house.is_closed_to(&memory).await;
    house.closed.store(false, Ordering::Release);
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 1);
}

#[tokio::test]
async fn who_is_not_admitted_has_no_more_time_for_it() {
    let window = Duration::from_millis(500);
    let mut house = House::open(Server::builder().recovery(Recovery { window, ..Recovery::default() })).await;
    let client = house.client().await;
    let memory = house.cut(client).await;
    house.closed.store(true, Ordering::Release);
    house.is_closed_to(&memory).await;
    assert_eq!(house.told().await, "expired with 0 rooms");
}

#[tokio::test]
async fn what_a_client_makes_up_recovers_nothing() {
    let mut house = House::open(recovering()).await;
    for (pid, offset) in [
        (None, None),
        (Some(""), None),
        (Some("äöü"), None),
        (Some("AAAAAAAAAAAAAAAAAAAAAA"), None),
        (None, Some("")),
        (None, Some("hello")),
        (None, Some("{{{}}}")),
    ] {
        let mut client = house.client().await;
        house.say("", 1);
        client.said().await;
        let memory = house.cut(client).await;
        let heard = memory.offset.clone().expect("heard");
        // Further than the log.
        let beyond = format!("{}_", heard);
        let offset = Some(offset.unwrap_or(if pid.is_some() { &heard } else { &beyond }).to_owned());
        let pid = pid.unwrap_or(&memory.pid).to_owned();
        house.stranger(&Memory { pid, offset, ..memory.clone() }).await;
        loop {
            let told = house.told().await;
            if told.starts_with("transport ") {
                break;
            }
            assert!(told == "new" || told == "expired with 0 rooms", "{told}");
        }
    }
}

#[tokio::test]
async fn who_missed_more_than_may_wait_for_it_is_a_new_client() {
    let limits = Limits { max_outbox: 10_000, ..Limits::default() };
    let mut house = House::open(recovering().limits(limits)).await;
    let client = house.client().await;
    let memory = house.cut(client).await;
    (0..1_000).for_each(|number| house.say("", number));
    let mut back = Ws::open(house.address(), &format!("{PATH}&transport=websocket")).await;
    assert!(back.next_text().await.starts_with("0{"));
    back.text(&format!("40{}", memory.auth())).await;
    assert_eq!(back.close_code().await, 1000, "it has to come again");
    assert_eq!(house.told().await, "expired with 0 rooms");
    house.stranger(&memory).await;
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn who_polls_comes_back_too() {
    let mut house = House::open(recovering()).await;
    let mut polling = Polling::open(house.address()).await;
    polling.post("40").await;
    let mut memory = Memory::connected(&polling.poll().await);
    assert_eq!(house.told().await, "new");
    (1..=3).for_each(|number| house.say("", number));
    let heard = polling.poll().await;
    assert_eq!(memory.hear(heard.split('\u{1e}').next().expect("one"))[1], 1);
    polling.post("1").await;
    assert_eq!(house.told().await, "transport close, perhaps back");
    (4..=40).for_each(|number| house.say("", number));
    let mut polling = Polling::open(house.address()).await;
    polling.post(&format!("40{}", memory.auth())).await;
    let mut heard = Vec::new();
    while heard.len() < 40 {
        heard.extend(polling.poll().await.split('\u{1e}').map(str::to_owned));
    }
    assert_eq!(Memory::connected(&heard[0]).sid, memory.sid);
    for (packet, number) in heard[1..].iter().zip(2..) {
        assert_eq!(memory.hear(packet)[1], number);
    }
    assert_eq!(house.told().await, "recovered");
}

#[tokio::test]
async fn what_was_missed_may_be_binary() {
    let mut house = House::open(recovering().namespace("/", |on| {
        on.on_named("pass on", |socket, args, _ack| {
            socket.broadcast().emit_named("said", &args);
        });
    }))
    .await;
    let (client, mut other) = (house.client().await, house.client().await);
    let memory = house.cut(client).await;
    other.ws.text(r#"451-["pass on",{"_placeholder":true,"num":0}]"#).await;
    other.ws.raw(&masked(0x82, &[1, 2, 3])).await;
    other.ws.settle().await;
    let mut client = house.back(memory).await;
    let packet = client.ws.next_text().await;
    assert!(packet.starts_with(r#"451-["said",{"_placeholder":true,"num":0},""#), "{packet}");
    assert_eq!(client.ws.next().await.payload, [1, 2, 3]);
}

#[tokio::test]
async fn nobody_comes_back_to_a_server_that_goes_away_alone() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    house.running.server.close(Duration::ZERO).await;
    assert_eq!(house.told().await, "server shutting down, for good");
    drop(client);
}

#[tokio::test]
async fn who_is_put_out_while_it_is_away_is_a_new_client() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let socket = house.socket();
    let memory = house.cut(client).await;
    socket.disconnect();
    assert_eq!(house.told().await, "expired with 0 rooms");
    house.stranger(&memory).await;
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn who_is_away_is_moved_and_put_out_with_the_others_of_its_room() {
    let mut house = House::open(recovering()).await;
    let namespace = house.running.server.namespace("/").expect("added");
    let (mut client, mut other) = (house.client().await, house.client().await);
    client.does(r#"["in","red"]"#).await;
    other.does(r#"["in","red"]"#).await;
    let memory = house.cut(client).await;
    namespace.to("red").join("blue").await.expect("accepted");
    namespace.to("blue").leave("red").await.expect("accepted");
    house.say("blue", 1);
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 1);
    assert_eq!(house.socket().rooms(), ["blue".into()]);
    let memory = house.cut(client).await;
    namespace.to("red").disconnect().await.expect("accepted");
    let client = house.back(memory).await;
    let memory = house.cut(client).await;
    namespace.to("blue").disconnect().await.expect("accepted");
    let mut told = [house.told().await, house.told().await];
    told.sort();
    assert_eq!(told, ["expired with 1 rooms", "server namespace disconnect, for good"]);
    house.stranger(&memory).await;
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn whose_connection_is_closed_by_a_handle_from_before_is_a_new_client() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let socket = house.socket();
    let memory = house.cut(client).await;
    let mut client = house.back(memory).await;
    socket.close();
    assert_eq!(client.ws.close_code().await, 1000);
    assert_eq!(house.told().await, "forced close, for good");
    house.stranger(&client.memory).await;
    assert_eq!(house.told().await, "new");
}

#[tokio::test]
async fn who_is_put_out_by_a_handle_from_before_is_gone_for_good() {
    let mut house = House::open(recovering()).await;
    let client = house.client().await;
    let socket = house.socket();
    let memory = house.cut(client).await;
    let mut client = house.back(memory).await;
    socket.disconnect();
    assert_eq!(client.ws.next_text().await, "41");
    assert_eq!(house.told().await, "server namespace disconnect, for good");
}

#[tokio::test]
async fn handlers_from_before_finish_before_those_of_a_client_that_is_back() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let (first, second, third) = (tell.clone(), tell.clone(), tell.clone());
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opens = gate.clone();
    let builder = recovering().namespace("/", move |on| {
        on.on_named_async("slow", move |socket, _args, _ack| {
            let (tell, gate) = (first.clone(), opens.clone());
            async move {
                drop(gate.acquire().await);
                socket.set(7_u32);
                let _ = tell.send("slow");
            }
        });
        on.on_disconnect(move |_socket, _reason| {
            let _ = second.send("disconnect");
        });
        on.on_connect(move |socket| {
            let value = socket.find::<u32>().is_some();
            let _ = third.send(if value { "back with its value" } else { "connect" });
        });
    });
    let running = start(builder).await;
    let client = Client::open(running.address, "").await;
    assert_eq!(within(told.recv()).await, Some("connect"));
    let Client { mut ws, memory } = client;
    ws.text(r#"42["slow"]"#).await;
    ws.settle().await;
    // Twice, since the first is cut off too while it waits.
    let comes = async || {
        let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
        assert!(ws.next_text().await.starts_with("0{"));
        ws.text(&format!("40{}", memory.auth())).await;
        ws.settle().await;
        ws
    };
    let mut waits = comes().await;
    let mut back = comes().await;
    assert_eq!(waits.close_code().await, 1000, "another has come for it");
    gate.add_permits(1);
    for word in ["slow", "disconnect", "back with its value"] {
        assert_eq!(within(told.recv()).await, Some(word));
    }
    assert_eq!(Memory::connected(&back.next_text().await).pid, memory.pid);
    drop((ws, tell));
}

#[tokio::test]
async fn who_speaks_msgpack_comes_back_too() {
    let mut house = House::open(recovering().parser(Parser::MsgPack)).await;
    let address = house.address();
    let enter = async |auth: &[u8]| {
        let mut ws = Ws::open(address, &format!("{PATH}&transport=websocket")).await;
        assert!(ws.next_text().await.starts_with("0{"));
        let connect = [b"\x83\xa4type\x00\xa3nsp\xa1/\xa4data".as_slice(), auth].concat();
        ws.raw(&masked(0x82, &connect)).await;
        let answer = ws.next().await.payload;
        (ws, answer)
    };
    let (ws, answer) = enter(b"\x80").await;
    let pid = answer.split_at(answer.len() - 22).1;
    assert!(answer.ends_with(&[b"\xa3pid\xb6", pid].concat()), "{answer:?}");
    drop(ws);
    assert_eq!(house.told().await, "new");
    house.told_of_cut().await;
    house.say("", 7);
    let (mut ws, again) = enter(&[b"\x81\xa3pid\xb6", pid].concat()).await;
    assert_eq!(again, answer, "the same id and private id");
    let missed = ws.next().await.payload;
    let event = b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x93\xa4said\x07\xa9";
    assert!(missed.starts_with(event) && missed.len() == event.len() + 9, "{missed:?}");
}

#[tokio::test]
async fn an_answer_to_an_old_heartbeat_proves_nothing_about_what_came_behind_it() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let opens = gate.clone();
    let limits = Limits { max_queued_events: 1_000, ..Limits::default() };
    let builder = recovering().limits(limits).ping_interval(Duration::from_millis(300));
    let mut house = House::open(builder.namespace("/", move |on| {
        on.on_named_async("slow", move |_socket, _args, _ack| {
            let gate = opens.clone();
            async move { drop(gate.acquire().await) }
        });
    }))
    .await;
    let mut client = house.client().await;
    house.say("", 1);
    assert_eq!(client.said().await, 1);
    client.ws.text(r#"42["slow"]"#).await;
    // Until nothing is read from it any more.
    for _ in 0..10 {
        client.ws.text(r#"42["in","red"]"#).await;
    }
    assert_eq!(client.ws.next_text().await, "2");
    client.ws.text("3").await;
    house.say("", 2);
    assert!(client.ws.next_text().await.contains("said"), "which the client does not remember");
    assert_eq!(client.ws.next_text().await, "2");
    gate.add_permits(1);
    client.ws.settle().await;
    let memory = house.cut(client).await;
    let mut client = house.back(memory).await;
    assert_eq!(client.said().await, 2);
}
