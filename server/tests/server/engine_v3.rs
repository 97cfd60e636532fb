//! Clients of Engine.IO v3, as socket.io-client 2 and its contemporaries are.

use crate::echo;
use crate::support::{Frame, Http, Polling, Response, Running, Ws, masked, sid_in, start, within};
use encke_server::{Limits, Recovery, Refusal, Server, ServerBuilder};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

const PATH: &str = "/socket.io/?EIO=3";

async fn serve(builder: ServerBuilder) -> Running {
    start(builder.engine_v3(true)).await
}

/// The packets of a payload, by their lengths in UTF-16 units.
fn packets(mut payload: &str) -> Vec<String> {
    let mut packets = Vec::new();
    while let Some((length, rest)) = payload.split_once(':') {
        let length: usize = length.parse().expect("a length");
        let units: Vec<u16> = rest.encode_utf16().take(length).collect();
        let packet = String::from_utf16(&units).expect("whole characters");
        payload = rest.strip_prefix(&packet).expect("it begins with the packet");
        packets.push(packet);
    }
    assert_eq!(payload, "", "nothing is left");
    packets
}

fn payload(packets: &[&str]) -> String {
    packets.iter().map(|packet| format!("{}:{packet}", packet.encode_utf16().count())).collect()
}

/// A polling session of v3 that has entered the main namespace.
struct Old {
    target: String,
    address: SocketAddr,
    polls: Http,
    posts: Http,
}

impl Old {
    async fn open(address: SocketAddr) -> Self {
        let (old, packets) = Self::meet(address).await;
        assert_eq!(packets[1..], ["40"]);
        old
    }

    /// And what it was met with.
    async fn meet(address: SocketAddr) -> (Self, Vec<String>) {
        let mut polls = Http::open(address).await;
        let opened = polls.request("GET", &format!("{PATH}&transport=polling&b64=1"), "", b"").await;
        assert_eq!(opened.status, 200, "{opened:?}");
        let packets = packets(&opened.body);
        let sid = sid_in(&packets[0]);
        let target = format!("{PATH}&transport=polling&sid={sid}");
        (Self { target, address, polls, posts: Http::open(address).await }, packets)
    }

    async fn poll(&mut self) -> Vec<String> {
        let response = self.polls.request("GET", &self.target, "", b"").await;
        assert_eq!(response.status, 200, "{response:?}");
        packets(&response.body)
    }

    async fn post(&mut self, packets: &[&str]) -> Response {
        let body = payload(packets);
        self.posts
            .request("POST", &self.target, "Content-Type: text/plain;charset=UTF-8\r\n", body.as_bytes())
            .await
    }

    async fn post_bytes(&mut self, body: &[u8]) -> Response {
        self.posts.request("POST", &self.target, "Content-Type: application/octet-stream\r\n", body).await
    }

    async fn probe(&self, more: &str) -> Ws<TcpStream> {
        let target = self.target.replace("polling", "websocket");
        let mut ws = Ws::open(self.address, &format!("{target}{more}")).await;
        ws.text("2probe").await;
        assert_eq!(ws.next_text().await, "3probe");
        ws
    }

    async fn is_over(&mut self) {
        let response = self.polls.request("GET", &self.target, "", b"").await;
        assert_eq!((response.status, &*response.body), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
    }
}

#[tokio::test]
async fn they_are_refused_unless_they_are_allowed() {
    let running = start(echo()).await;
    let mut http = Http::open(running.address).await;
    let refused = http.request("GET", &format!("{PATH}&transport=polling"), "", b"").await;
    assert_eq!(
        (refused.status, &*refused.body),
        (400, r#"{"code":5,"message":"Unsupported protocol version"}"#)
    );
}

#[tokio::test]
async fn a_polling_client_is_in_the_main_namespace_as_it_connects() {
    let running = serve(echo()).await;
    let mut old = Old::open(running.address).await;
    assert_eq!(old.post(&[r#"421["echo","é😀"]"#, "2"]).await.body, "ok");
    assert_eq!(old.poll().await, [r#"431["é😀"]"#, "3"]);
}

#[tokio::test]
async fn what_is_sent_as_it_connects_comes_with_the_handshake() {
    let running = serve(echo().namespace("/", |on| {
        on.on_connect(|socket| socket.emit_named("welcome", &"you").expect("writable"));
    }))
    .await;
    let (_, packets) = Old::meet(running.address).await;
    assert_eq!(packets[1..], ["40", r#"42["welcome","you"]"#]);
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    assert!(ws.next_text().await.starts_with("0{"));
    assert_eq!(ws.next_text().await, "40");
    assert_eq!(ws.next_text().await, r#"42["welcome","you"]"#);
}

#[tokio::test]
async fn binary_travels_as_base64_in_a_payload_and_may_come_as_bytes() {
    let running = serve(echo()).await;
    let mut old = Old::open(running.address).await;
    let event = r#"451-1["echo",{"_placeholder":true,"num":0}]"#;
    let answer = [r#"461-1[{"_placeholder":true,"num":0}]"#, "b4AQID"];
    old.post(&[event, "b4AQID"]).await;
    assert_eq!(old.poll().await, answer);
    let length = [0, 4, 3, 0xff];
    assert_eq!(event.len(), 43);
    let body = [&length, event.as_bytes(), &[1, 4, 0xff, 4, 1, 2, 3]].concat();
    assert_eq!(old.post_bytes(&body).await.body, "ok");
    assert_eq!(old.poll().await, answer);
}

#[tokio::test]
async fn clients_of_v4_post_no_bytes() {
    let running = serve(echo()).await;
    let mut client = Polling::join(running.address).await;
    let target = client.target();
    let headers = "Content-Type: application/octet-stream\r\n";
    let response = client.posts.request("POST", &target, headers, &[0, 1, 0xff, b'6']).await;
    assert_eq!(response.status, 400);
}

#[tokio::test]
async fn binary_messages_on_a_websocket_begin_with_their_type() {
    let running = serve(echo()).await;
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    assert!(ws.next_text().await.starts_with("0{"));
    assert_eq!(ws.next_text().await, "40");
    ws.text(r#"451-1["echo",{"_placeholder":true,"num":0}]"#).await;
    ws.raw(&masked(0x82, &[4, 1, 2])).await;
    assert_eq!(ws.next_text().await, r#"461-1[{"_placeholder":true,"num":0}]"#);
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: vec![4, 1, 2] });
    ws.text("2").await;
    assert_eq!(ws.next_text().await, "3");
}

#[tokio::test]
async fn who_cannot_read_bytes_gets_base64_on_a_websocket_too() {
    let running = serve(echo()).await;
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket&b64=1")).await;
    assert!(ws.next_text().await.starts_with("0{"));
    assert_eq!(ws.next_text().await, "40");
    ws.text(r#"451-1["echo",{"_placeholder":true,"num":0}]"#).await;
    ws.text("b4AQI=").await;
    assert_eq!(ws.next_text().await, r#"461-1[{"_placeholder":true,"num":0}]"#);
    assert_eq!(ws.next_text().await, "b4AQI=");
}

#[tokio::test]
async fn an_upgrade_loses_and_changes_nothing() {
    let running = serve(echo()).await;
    let mut old = Old::open(running.address).await;
    // What nobody has polled goes out over the WebSocket, in its form.
    old.post(&[r#"451-1["echo",{"_placeholder":true,"num":0}]"#, "b4AQI=", r#"422["echo","é"]"#]).await;
    let mut ws = old.probe("").await;
    ws.text("5").await;
    assert_eq!(ws.next_text().await, r#"461-1[{"_placeholder":true,"num":0}]"#);
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: vec![4, 1, 2] });
    assert_eq!(ws.next_text().await, r#"432["é"]"#);
    ws.text("2").await;
    assert_eq!(ws.next_text().await, "3");
}

#[tokio::test]
async fn one_broadcast_reaches_old_and_new_clients_each_in_its_form() {
    let running = serve(echo()).await;
    let mut speaker = Ws::join(running.address).await;
    let mut new = Ws::join(running.address).await;
    let mut polling = Old::open(running.address).await;
    let mut upgraded = Old::open(running.address).await.probe("").await;
    upgraded.text("5").await;
    upgraded.settle().await;
    speaker.text(r#"451-["chat",{"_placeholder":true,"num":0}]"#).await;
    speaker.raw(&masked(0x82, &[7, 8])).await;
    let text = r#"451-["chat",{"_placeholder":true,"num":0}]"#;
    assert_eq!(polling.poll().await, [text, "b4Bwg="]);
    assert_eq!(new.next_text().await, text);
    assert_eq!(new.next().await, Frame { first: 0x82, payload: vec![7, 8] });
    assert_eq!(upgraded.next_text().await, text);
    assert_eq!(upgraded.next().await, Frame { first: 0x82, payload: vec![4, 7, 8] });
}

#[tokio::test]
async fn other_namespaces_are_asked_for_with_a_query() {
    let running = serve(echo().namespace("/chat", |on| {
        on.admit(|_, auth| match auth.text() {
            r#"{"token":"a b"}"# => Ok(()),
            r#"{"token":"x"}"# => Err(Refusal::new("go").with_data(&7).expect("writable")),
            _ => Err(Refusal::new("say \"please\"")),
        });
    }))
    .await;
    let mut old = Old::open(running.address).await;
    for (asked, answer) in [
        ("40/chat,", r#"44/chat,"say \"please\"""#),
        ("40/chat?token=x,", "44/chat,7"),
        ("40/chat?token=a%20b,", "40/chat,"),
        ("40/none,", r#"44/none,"Invalid namespace""#),
    ] {
        assert_eq!(old.post(&[asked]).await.body, "ok");
        assert_eq!(old.poll().await, [answer], "{asked}");
    }
}

#[tokio::test]
async fn who_stops_pinging_is_gone_and_who_pings_stays() {
    let brief = Duration::from_millis(100);
    let running = serve(echo().ping_interval(brief).ping_timeout(brief)).await;
    let mut silent = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    let mut old = Ws::open(running.address, &format!("{PATH}&transport=websocket")).await;
    assert!(old.next_text().await.starts_with("0{"));
    assert_eq!(old.next_text().await, "40");
    let pinging = async {
        loop {
            old.text("2").await;
            assert_eq!(old.next_text().await, "3");
        }
    };
    // The silent one, which is never pinged, is closed while the other goes on.
    tokio::select! {
        () = pinging => {}
        code = silent.close_code() => assert_eq!(code, 1000),
    }
    old.text(r#"421["echo"]"#).await;
    while within(old.next_text()).await != "431[]" {}
}

#[tokio::test]
async fn the_version_of_a_session_does_not_change() {
    let running = serve(echo()).await;
    let mut old = Old::open(running.address).await;
    let new = old.target.replace("EIO=3", "EIO=4");
    let response = old.polls.request("GET", &new, "", b"").await;
    assert_eq!((response.status, &*response.body), (400, r#"{"code":3,"message":"Bad request"}"#));
    assert_eq!(old.post(&[r#"421["echo"]"#]).await.body, "ok");
    assert_eq!(old.poll().await, ["431[]"]);
}

#[tokio::test]
async fn what_is_no_payload_ends_the_session() {
    let running = serve(echo()).await;
    for body in ["", "x", "40", "3:40", "1:9", "99999999999:4", "6\u{1e}6", "4:42[]", "1:3", "1:5"] {
        let mut old = Old::open(running.address).await;
        let headers = "Content-Type: text/plain\r\n";
        let response = old.posts.request("POST", &old.target, headers, body.as_bytes()).await;
        assert!(response.status == 400 || response.body == "ok", "{body}: {response:?}");
        old.is_over().await;
    }
    for body in
        [&[2, 1, 0xff, b'6'][..], &[0], &[0; 100], &[1, 9, 9, 0xff, 4], &[1, 1, 0xff, 2], &[0, 1, 0xff, 0xff]]
    {
        let mut old = Old::open(running.address).await;
        assert_eq!(old.post_bytes(body).await.status, 400, "{body:?}");
        old.is_over().await;
    }
}

#[tokio::test]
async fn a_payload_may_be_as_long_as_the_limit_and_no_longer() {
    let limits = Limits { max_payload: 1_000, ..Limits::default() };
    let running = serve(echo().limits(limits)).await;
    let mut old = Old::open(running.address).await;
    let event = |length: usize| format!(r#"421["echo","{}"]"#, "x".repeat(length));
    let longest = 1_000 - event(0).len() - "999:".len();
    assert_eq!(old.post(&[&event(longest)]).await.body, "ok");
    assert_eq!(old.poll().await, [event(longest).replacen("421[\"echo\",", "431[", 1)]);
    assert_eq!(old.post(&[&event(longest + 1)]).await.status, 413);
}

#[tokio::test]
async fn scripts_and_forms_carry_payloads_of_v3_too() {
    let running = serve(echo()).await;
    let mut http = Http::open(running.address).await;
    let target = format!("{PATH}&transport=polling&j=0");
    let opened = http.request("GET", &target, "", b"").await;
    let script =
        opened.body.strip_prefix("___eio[0](").and_then(|script| script.strip_suffix(");")).expect("a call");
    let opened: String = serde_json::from_str(script).expect("a literal");
    let opened = packets(&opened);
    assert_eq!(opened[1], "40");
    let target = format!("{target}&sid={}", sid_in(&opened[0]));
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let posted = http.request("POST", &target, headers, b"d=15%3A421%5B%22echo%22%2C%22%C3%A9%22%5D").await;
    assert_eq!(posted.body, "ok");
    let polled = http.request("GET", &target, "", b"").await;
    assert_eq!(polled.body, r#"___eio[0]("8:431[\"é\"]");"#);
}

#[tokio::test]
async fn they_do_not_come_back_for_what_they_missed() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let running = serve(echo().recovery(Recovery::default()).namespace("/chat", |on| {
        on.on_connect(|socket| {
            let _ = socket.emit_named("hello", &socket.is_recovered());
        });
        on.on_disconnect(move |socket, _reason| {
            let _ = tell.send(socket.is_recoverable());
        });
    }))
    .await;
    // One that knows how gets its private id, and leaves without a word.
    let mut new = Ws::join(running.address).await;
    new.text("40/chat,").await;
    let joined = new.next_text().await;
    let joined: serde_json::Value = serde_json::from_str(&joined["40/chat,".len()..]).expect("JSON");
    let hello = new.next_text().await;
    let offset = hello.split('"').nth(3).expect("an offset").to_owned();
    drop(new);
    assert_eq!(within(told.recv()).await, Some(true));
    // An old one cannot use it, gets no offsets, and is not waited for.
    let mut old = Old::open(running.address).await;
    let pid = joined["pid"].as_str().expect("a private id");
    old.post(&[&format!("40/chat?pid={pid}&offset={offset},")]).await;
    assert_eq!(old.poll().await, ["40/chat,", r#"42/chat,["hello",false]"#]);
    old.post(&["1"]).await;
    assert_eq!(within(told.recv()).await, Some(false));
}

#[tokio::test]
async fn messages_without_socket_io_come_back_too() {
    let raw = Server::builder().path("/socket.io").raw(|on| {
        on.on_message(|session, message| session.send(message));
    });
    let running = serve(raw).await;
    let (mut old, packets) = Old::meet(running.address).await;
    assert_eq!(packets.len(), 1, "nobody has entered anything");
    old.post(&["4é", "b4AQID"]).await;
    assert_eq!(old.poll().await, ["4é", "b4AQID"]);
    let mut ws = old.probe("").await;
    ws.text("5").await;
    ws.raw(&masked(0x82, &[4, 0, 255])).await;
    assert_eq!(ws.next().await, Frame { first: 0x82, payload: vec![4, 0, 255] });
}
