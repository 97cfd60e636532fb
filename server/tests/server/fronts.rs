//! The server's own listener beside the route through axum: whoever reads a request, the answer is the same, byte for byte,
//! and a connection may pass from the one to the other at any request.

use crate::echo;
use crate::support::{Http, PATH, Polling, UPGRADE, Ws, masked, sid_in, within};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::routing::{get, post};
use encke_server::{Limits, Origins, Server, ServerBuilder};
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Who reads requests first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Front {
    Axum,
    Own,
}

/// A server among an application's own pages.
async fn serve(front: Front, builder: ServerBuilder) -> (SocketAddr, Server) {
    let (address, server, _seen) = serve_and_count(front, builder).await;
    (address, server)
}

/// With the count of requests that reach axum.
async fn serve_and_count(front: Front, builder: ServerBuilder) -> (SocketAddr, Server, Arc<AtomicUsize>) {
    let server = builder.build();
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    let count = move |request: Request, next: Next| {
        counted.fetch_add(1, Ordering::Relaxed);
        next.run(request)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let pages = Router::new()
        .route("/page", get(|| async { "a page" }))
        .route("/parrot", post(|body: String| async { body }));
    let app = pages.merge(server.router()).layer(middleware::from_fn(count));
    let own = server.clone();
    tokio::spawn(async move {
        match front {
            Front::Axum => axum::serve(listener, app).await,
            Front::Own => axum::serve(own.listener(listener), app).await,
        }
    });
    (address, server, seen)
}

/// Lets the server read what was written.
async fn give_way() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// Sends the bytes in those pieces, behind them a request for the last answer, and reads everything.
async fn exchange(address: SocketAddr, bytes: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("a server");
    stream.set_nodelay(true).expect("set");
    let (mut reader, mut writer) = stream.split();
    let all = [bytes, b"GET /page HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n"].concat();
    let write = async {
        let mut start = 0;
        for cut in cuts.iter().copied().filter(|cut| *cut < all.len()).chain([all.len()]) {
            // The server may have closed the connection for what it has read so far.
            let _ = writer.write_all(&all[start.min(cut)..cut]).await;
            give_way().await;
            start = cut.max(start);
        }
    };
    let mut answers = Vec::new();
    let read = async {
        // A connection that is closed with bytes unread is reset, behind its answers.
        let _ = reader.read_to_end(&mut answers).await;
    };
    within(async { tokio::join!(write, read) }).await;
    answers
}

/// Answers without what differs from session to session and from second to second.
fn normal(answers: &[u8]) -> String {
    let text = String::from_utf8_lossy(answers);
    let mut normal = String::new();
    for line in text.split_inclusive("\r\n") {
        let mut rest = if line.starts_with("date: ") { "date: now\r\n" } else { line };
        for (name, end) in [("\"sid\":\"", '"'), ("set-cookie: io=", ';')] {
            if let Some((before, behind)) = rest.split_once(name) {
                normal.push_str(before);
                normal.push_str(name);
                rest = behind.trim_start_matches(|char| char != end);
            }
        }
        normal.push_str(rest);
    }
    normal
}

/// What a server answers to requests on one connection, in which `{sid}` is the name of a session with a socket in `/`.
async fn answers(front: Front, builder: ServerBuilder, requests: &str, cuts: &[usize]) -> String {
    let (address, _server) = serve(front, builder).await;
    let client = Polling::join(address).await;
    let requests = requests.replace("{sid}", &client.sid);
    normal(&exchange(address, requests.as_bytes(), cuts).await)
}

async fn alike(make: impl Fn() -> ServerBuilder, requests: &str) -> String {
    let by_axum = answers(Front::Axum, make(), requests, &[]).await;
    assert_eq!(by_axum, answers(Front::Own, make(), requests, &[]).await, "{requests}");
    by_axum
}

fn request(line: &str, headers: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{line} HTTP/1.1\r\nHost: server\r\n{headers}{length}\r\n{body}")
}

const TARGET: &str = "/socket.io/?EIO=4&transport=polling&sid={sid}";

fn fetch(headers: &str) -> String {
    request(&format!("GET {TARGET}"), headers, "")
}

fn send(headers: &str, body: &str) -> String {
    request(&format!("POST {TARGET}"), headers, body)
}

fn open(headers: &str) -> String {
    request("GET /socket.io/?EIO=4&transport=polling", headers, "")
}

#[tokio::test]
async fn both_fronts_answer_alike_to_the_byte() {
    let friends = || echo().origins(Origins::Listed(vec!["http://friend".to_owned()])).credentials(true);
    let echoed = send("", r#"421["echo","🦀"]"#);
    for page in ["", "Origin: http://server\r\n", "Origin: http://friend\r\n", "Origin: http://evil\r\n"] {
        let all =
            [open(page), send(page, r#"421["echo",1]"#), fetch(page), echoed.clone(), fetch(page)].concat();
        let said = alike(friends, &all).await;
        assert_eq!(said.contains(r#"431["#), page != "Origin: http://evil\r\n", "{said}");
    }
    let compressing = || echo().http_compression(10).cookie(encke_server::Cookie::default());
    for codings in ["", "Accept-Encoding: deflate\r\n", "Accept-Encoding: br\r\n"] {
        let text = format!(r#"421["echo","{}"]"#, "x".repeat(100));
        let said = alike(compressing, &[send("", &text), fetch(codings), open("")].concat()).await;
        assert!(said.contains("set-cookie: io="), "{said}");
        assert_eq!(said.contains("content-encoding: deflate"), codings.contains("deflate"));
    }
    for (headers, body) in [
        ("", "9"),
        ("", "1"),
        ("", r#"42["x""#),
        ("Content-Type: text/html\r\n", "3"),
        ("Content-Type: TEXT/plain; x\r\n", "3"),
    ] {
        alike(echo, &[send(headers, body), send("", "3")].concat()).await;
    }
    let small = || echo().limits(Limits { max_payload: 1_000, ..Limits::default() });
    for length in [1_000, 1_001, 1_004] {
        alike(small, &send("", &"4".repeat(length))).await;
    }
    let any = || echo().origins(Origins::Any).engine_v3(true);
    for headers in [
        "Origin: http://evil\r\n",
        "Origin: null\r\n",
        "Origin: http://server\r\nOrigin: http://evil\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-origin\r\nX: ü\r\n",
        "Host: other\r\nReferer: http://evil/\r\n",
    ] {
        let old = request("GET /socket.io/?EIO=3&transport=polling", headers, "");
        let all = [open(headers), old, send(headers, r#"421["echo",1]"#), fetch(headers)].concat();
        alike(any, &all).await;
        alike(echo, &all).await;
        let nameless = all.replace("Host: server\r\n", "");
        alike(echo, &nameless).await;
    }
    let full = || echo().limits(Limits { max_sessions: 1, ..Limits::default() });
    assert!(alike(full, &open("")).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn plain_requests_do_not_reach_axum_and_others_do() {
    let builder = || {
        let friends = echo().origins(Origins::Listed(vec!["http://friend".to_owned()]));
        friends
            .http_compression(10)
            .per_message_deflate(10)
            .cookie(encke_server::Cookie::default())
            .engine_v3(true)
    };
    let websocket =
        |query: &str| request(&format!("GET /socket.io/?{query}&transport=websocket"), UPGRADE, "");
    let echoed = [send("", r#"421["echo",1]"#), fetch("Accept-Encoding: gzip\r\n")].concat();
    let deflate = format!("{UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n");
    for plain in [
        open(""),
        open("Origin: http://friend\r\n"),
        open("Origin: http://server\r\nSec-Fetch-Site: same-origin\r\nConnection: keep-alive\r\n"),
        request("GET /socket.io?EIO=3&transport=polling", "", ""),
        echoed,
        send("", "9"),
        websocket("EIO=4"),
        websocket("EIO=3"),
        websocket("EIO=4&sid={sid}"),
        request("GET /socket.io/?EIO=4&transport=websocket", &deflate, ""),
    ] {
        let (address, _server, seen) = serve_and_count(Front::Own, builder()).await;
        let client = Polling::join(address).await;
        let mut http = Http::open(address).await;
        http.0.write_all(plain.replace("{sid}", &client.sid).as_bytes()).await.expect("written");
        http.receive_head().await;
        assert_eq!(seen.load(Ordering::Relaxed), 0, "{plain}");
        assert_eq!(Http::open(address).await.request("GET", "/page", "", b"").await.status, 200);
        assert_eq!(seen.load(Ordering::Relaxed), 1, "what is not plain is counted");
    }
}

#[tokio::test]
async fn a_websockets_handshake_is_answered_alike_to_the_byte() {
    let extension = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=12\r\n";
    for (query, headers) in [
        ("EIO=4", ""),
        ("EIO=3", ""),
        ("EIO=3&b64=1", ""),
        ("EIO=4", extension),
        ("EIO=4&sid={sid}", ""),
        ("EIO=4", "Origin: http://friend\r\n"),
        ("EIO=4", "Origin: http://server\r\n"),
    ] {
        let mut heads = Vec::new();
        for front in [Front::Axum, Front::Own] {
            let friends = echo().origins(Origins::Listed(vec!["http://friend".to_owned()]));
            let (address, _server) = serve(front, friends.per_message_deflate(10).engine_v3(true)).await;
            let client = Polling::join(address).await;
            let query = query.replace("{sid}", &client.sid);
            let target = format!("/socket.io/?{query}&transport=websocket");
            let mut http = Http::open(address).await;
            http.send("GET", &target, &format!("{UPGRADE}{headers}"), b"").await;
            heads.push(normal(http.receive_head().await.as_bytes()));
        }
        assert!(heads[0].starts_with("HTTP/1.1 101 "), "{heads:?}");
        assert_eq!(heads[0], heads[1], "{query} {headers}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_fit_into_the_socket_is_written_as_it_is_read() {
    // More than a system keeps for a socket.
    const LENGTH: usize = 8_000_000;
    let limits = Limits { max_payload: 2 * LENGTH as u32, ..Limits::default() };
    let (address, _server) = serve(Front::Own, echo().limits(limits)).await;
    let mut client = Polling::join(address).await;
    let text: String = ('a'..='z').cycle().take(LENGTH).collect();
    assert_eq!(client.post(&format!(r#"421["echo","{text}"]"#)).await.body, "ok");
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    give_way().await;
    assert!(client.polls.receive().await.body == format!(r#"431["{text}"]"#), "every byte in its place");
    client.post(r#"422["echo"]"#).await;
    assert_eq!(client.poll().await, "432[]", "on the same connection");
}

#[tokio::test]
async fn a_poll_that_waits_when_the_listener_goes_is_answered_and_its_connection_ends() {
    let server = echo().build();
    let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let (address, app, listener) =
        (tcp.local_addr().expect("bound"), server.router(), server.clone().listener(tcp));
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut client = Polling::join(address).await;
    let target = client.target();
    client.polls.send("GET", &target, "", b"").await;
    give_way().await;
    let mut ws = Ws::join(address).await;
    serving.abort();
    assert!(serving.await.expect_err("it was told to").is_cancelled());
    ws.text(r#"42["chat","bye"]"#).await;
    let answer = client.polls.receive().await;
    assert_eq!((&*answer.body, answer.header("connection")), (r#"42["chat","bye"]"#, Some("close")));
    assert_eq!(within(client.polls.0.read(&mut [0])).await.expect("a clean end"), 0);
    assert_eq!(within(client.posts.0.read(&mut [0])).await.expect("a clean end"), 0, "it was idle");
}

#[tokio::test]
async fn what_is_not_plain_is_axums_and_so_is_all_that_comes_behind_it() {
    let websocket = request("GET /socket.io/?EIO=4&transport=websocket&sid=nobody", UPGRADE, "");
    let chunked = format!(
        "{}5\r\n421[\"\r\n6\r\necho\",\r\n2\r\n7]\r\n0\r\n\r\n",
        send("Transfer-Encoding: chunked\r\n", "")
    );
    for foreign in [
        request("GET /page", "", ""),
        request("POST /parrot", "", "words"),
        request("GET /nothing", "", ""),
        request(&format!("PUT {TARGET}"), "", ""),
        request(&format!("OPTIONS {TARGET}"), "Origin: http://server\r\n", ""),
        request(&format!("HEAD {TARGET}"), "", ""),
        request("GET /socket.io/?EIO=3&transport=polling", "", ""),
        request("GET /socket.io/?EIO=4&transport=pigeon", "", ""),
        request("GET /socket.io/?EIO=4&transport=polling&sid=nobody", "", ""),
        request("POST /socket.io/?EIO=4&transport=polling", "", "40"),
        request(&format!("GET {TARGET}&j=0"), "", ""),
        send("", ""),
        send("Content-Length: 0\r\n", ""),
        send("Expect: 100-continue\r\n", r#"421["echo",7]"#),
        format!("\r\n{}", request("GET /page", "", "")),
        fetch("Origin: http://evil\r\n"),
        fetch(UPGRADE),
        websocket,
        chunked,
    ] {
        let again = [send("", r#"422["echo",8]"#), fetch("")].concat();
        let requests = [send("", r#"420["echo",6]"#), fetch(""), foreign, again].concat();
        let said = alike(echo, &requests).await;
        assert!(said.contains("430[6]"), "{said}");
    }
}

#[tokio::test]
async fn a_server_at_the_root_answers_alike() {
    let mut said = Vec::new();
    for front in [Front::Axum, Front::Own] {
        let (address, _server) = serve(front, echo().path("/")).await;
        let asked = ["/?EIO=4&transport=polling", "/x?EIO=4&transport=polling", "/"];
        let asked = asked.map(|target| request(&format!("GET {target}"), "", "")).concat();
        said.push(normal(&exchange(address, asked.as_bytes(), &[]).await));
    }
    assert!(said[0].starts_with("HTTP/1.1 200 "), "{said:?}");
    assert_eq!(said[0], said[1]);
}

#[tokio::test]
async fn a_request_whose_end_is_in_doubt_smuggles_nothing() {
    let hidden = request("GET /page", "", "");
    let length = |value: &str| format!("Content-Length: {value}\r\n");
    let hidden_length = length(&hidden.len().to_string());
    let chunked = "Transfer-Encoding: chunked\r\n";
    for headers in [
        format!("{hidden_length}{hidden_length}"),
        format!("{hidden_length}{}", length("0")),
        format!("{}{hidden_length}", length("0")),
        format!("{hidden_length}{chunked}"),
        format!("{chunked}{hidden_length}"),
        format!("{hidden_length}Transfer-Encoding: identity\r\n"),
        format!("{hidden_length}Transfer-Encoding:\u{b}chunked\r\n"),
        format!("Transfer-Encoding : chunked\r\n{hidden_length}"),
        format!("Content-Length : 1\r\n{hidden_length}"),
        length(&format!("+{}", hidden.len())),
        length(&format!("{}, {0}", hidden.len())),
        length("-1"),
        length("99999999999999999999"),
        format!("X: y\r\n {hidden_length}"),
        format!("X: y\n{hidden_length}"),
        format!("X: y\r{hidden_length}"),
        format!("X: \0\r\n{hidden_length}"),
        format!("{hidden_length}Connection: close\r\n"),
    ] {
        for line in ["POST", "GET"].map(|method| format!("{method} {TARGET}")) {
            let first = format!("{line} HTTP/1.1\r\nHost: server\r\n{headers}\r\n{hidden}");
            alike(echo, &[send("", r#"421["echo",1]"#), first].concat()).await;
        }
    }
}

#[tokio::test]
async fn requests_that_come_before_they_are_asked_for_are_answered_in_order() {
    let (address, _server) = serve(Front::Own, echo()).await;
    let mut client = Polling::join(address).await;
    let echoed = send("", r#"421["echo",1]"#).replace("{sid}", &client.sid);
    let both = [fetch("").replace("{sid}", &client.sid), echoed].concat();
    client.polls.0.write_all(both.as_bytes()).await.expect("written");
    give_way().await;
    // What would release the poll stands behind it, and is not looked at before.
    assert_eq!(client.post(r#"422["echo",2]"#).await.body, "ok");
    assert_eq!(client.polls.receive().await.body, "432[2]");
    assert_eq!(client.polls.receive().await.body, "ok");
    assert_eq!(client.poll().await, "431[1]");
}

#[tokio::test]
async fn a_connection_passes_on_with_bytes_on_their_way() {
    let (address, _server) = serve(Front::Own, echo()).await;
    let mut client = Polling::join(address).await;
    let post = send("", r#"421["echo",1]"#).replace("{sid}", &client.sid);
    let page = request("POST /parrot", "", &"words ".repeat(20_000));
    let (begin, end) = page.split_at(1_000);
    client.polls.0.write_all([&post, begin].concat().as_bytes()).await.expect("written");
    assert_eq!(client.polls.receive().await.body, "ok");
    client.polls.0.write_all([end, &post].concat().as_bytes()).await.expect("written");
    assert_eq!(client.polls.receive().await.body.len(), 120_000);
    assert_eq!(client.polls.receive().await.body, "ok");
    assert_eq!(client.poll().await, "431[1]\u{1e}431[1]", "the same connection, by axum now");
}

#[tokio::test]
async fn a_head_longer_than_is_kept_is_axums() {
    let long = format!("Cookie: {}\r\n", "x".repeat(20_000));
    alike(echo, &[send(&long, r#"421["echo",1]"#), fetch("")].concat()).await;
    let requests = [send(&long, r#"421["echo",1]"#), fetch("")].concat();
    let by_axum = answers(Front::Axum, echo(), &requests, &[]).await;
    assert_eq!(by_axum, answers(Front::Own, echo(), &requests, &[10_000, 18_000]).await, "in pieces");
    let many = "a: b\r\n".repeat(101);
    assert!(alike(echo, &fetch(&many)).await.starts_with("HTTP/1.1 431 "));
}

#[test]
fn a_head_that_does_not_go_on_is_given_up_and_an_idle_connection_is_not() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (address, _server) = serve(Front::Own, echo()).await;
        let mut idle = Http::open(address).await;
        let mut slow = TcpStream::connect(address).await.expect("a server");
        slow.write_all(b"GET /socket.io/?EIO=4").await.expect("written");
        let begun = tokio::time::Instant::now();
        // Time passes by itself as long as nothing happens.
        assert_eq!(slow.read(&mut [0]).await.expect("a clean end"), 0);
        assert_eq!(begun.elapsed().as_secs(), 30);
        let target = format!("{PATH}&transport=polling");
        idle.send("GET", &target, "", b"").await;
        let mut answer = [0; 15];
        idle.0.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    });
}

#[tokio::test]
async fn frames_that_come_with_the_handshake_are_taken() {
    for front in [Front::Axum, Front::Own] {
        let (address, _server) = serve(front, echo()).await;
        let mut stream = TcpStream::connect(address).await.expect("a server");
        let head = format!("GET {PATH}&transport=websocket HTTP/1.1\r\nHost: server\r\n{UPGRADE}\r\n");
        let frames = [masked(0x81, b"40"), masked(0x81, br#"421["echo",1]"#)].concat();
        let (now, later) = frames.split_at(9);
        stream.write_all(&[head.as_bytes(), now].concat()).await.expect("written");
        let mut http = Http(stream);
        assert_eq!(http.receive().await.status, 101, "{front:?}");
        let mut ws = Ws(http.0);
        ws.raw(later).await;
        assert!(ws.next_text().await.starts_with("0{"), "{front:?}");
        assert!(ws.next_text().await.starts_with("40{"), "{front:?}");
        assert_eq!(ws.next_text().await, "431[1]", "{front:?}");
    }
}

#[tokio::test]
async fn a_websocket_may_follow_requests_on_their_connection() {
    for front in [Front::Axum, Front::Own] {
        let (address, _server) = serve(front, echo()).await;
        let client = Polling::join(address).await;
        let target = format!("{PATH}&transport=websocket&sid={}", client.sid);
        let mut probe = Ws::over(client.polls.0, &target).await;
        probe.text("2probe").await;
        assert_eq!(probe.next_text().await, "3probe", "{front:?}");
        probe.text("5").await;
        probe.text(r#"421["echo",1]"#).await;
        assert_eq!(probe.next_text().await, "431[1]", "{front:?}");
        let other = Ws::over(client.posts.0, &format!("{PATH}&transport=websocket")).await;
        let mut other = other.enter().await;
        other.text(r#"421["echo",2]"#).await;
        assert_eq!(other.next_text().await, "431[2]", "{front:?}");
    }
}

/// Something that a client does on its connection.
#[derive(Clone, Copy, Debug)]
enum Act {
    Echo(u8),
    Fetch,
    Open,
    Page,
    Preflight,
    Unknown,
    Break,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1_u8..4).prop_map(Act::Echo),
        6 => Just(Act::Fetch),
        2 => Just(Act::Open),
        1 => Just(Act::Page),
        1 => Just(Act::Preflight),
        1 => Just(Act::Unknown),
        1 => Just(Act::Break),
    ]
}

/// The requests of a client that does so, and never waits for what nobody will say.
fn requests(acts: &[Act]) -> String {
    let (mut waiting, mut open_session) = (0_u32, true);
    let mut all = String::new();
    for act in acts {
        all.push_str(&match act {
            Act::Fetch if waiting == 0 && open_session => continue,
            Act::Fetch => {
                // No more than sixteen in one answer.
                waiting = waiting.saturating_sub(16);
                fetch("")
            }
            // What is refused with its body on the way may cost the connection, by chance.
            Act::Echo(_) if !open_session => continue,
            Act::Echo(count) => {
                waiting += u32::from(*count);
                let packets: Vec<_> = (0..*count).map(|id| format!(r#"42{id}["echo","ü",{id}]"#)).collect();
                send("Content-Type: text/plain;charset=UTF-8\r\n", &packets.join("\u{1e}"))
            }
            Act::Open => open("Origin: http://server\r\n"),
            Act::Page => request("GET /page", "", ""),
            Act::Preflight => request(&format!("OPTIONS {TARGET}"), "Origin: http://server\r\n", ""),
            Act::Unknown => request("GET /socket.io/?EIO=4&transport=polling&sid=nobody", "", ""),
            Act::Break if !open_session => continue,
            Act::Break => {
                open_session = false;
                send("", "9")
            }
        });
    }
    all
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn requests_in_any_order_and_pieces_are_answered_alike(
        acts in prop::collection::vec(act(), 1..12),
        cuts in prop::collection::vec(0_usize..3_000, 0..12),
    ) {
        let requests = requests(&acts);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (by_axum, own) = runtime.block_on(async {
            let by_axum = answers(Front::Axum, echo(), &requests, &[]).await;
            (by_axum, answers(Front::Own, echo(), &requests, &cuts).await)
        });
        prop_assert_eq!(by_axum, own);
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_at_every_byte_is_read_all_the_same() {
    let requests =
        [send("", r#"421["echo","🦀"]"#), fetch(""), open(""), request("GET /page", "", "")].concat();
    let by_axum = answers(Front::Axum, echo(), &requests, &[]).await;
    let cuts: Vec<usize> = (1..requests.len() + 200).collect();
    assert_eq!(by_axum, answers(Front::Own, echo(), &requests, &cuts).await);
}

#[tokio::test]
async fn the_handshake_of_a_listeners_session_is_that_of_its_request() {
    let (sender, mut sockets) = tokio::sync::mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/", move |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    });
    let (address, _server) = serve(Front::Own, builder).await;
    let mut http = Http::open(address).await;
    let target = format!("{PATH}&transport=polling&token=a%20b");
    let headers = "User-Agent: x\r\nCONNECTION: keep-alive\r\nX-Forwarded-Proto: https\r\n";
    let opened = http.request("GET", &target, headers, b"").await;
    let sid = sid_in(&opened.body);
    http.request("POST", &format!("{PATH}&transport=polling&sid={sid}"), "", b"40").await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let handshake = socket.handshake();
    assert_eq!((handshake.url(), handshake.query("token").as_deref()), (&*target, Some("a b")));
    assert_eq!(handshake.remote_address(), http.0.local_addr().ok());
    assert!(handshake.is_secure());
    let names: Vec<&str> = handshake.headers().map(|(name, _)| name).collect();
    assert_eq!(names, ["host", "user-agent", "x-forwarded-proto"]);
}
