//! What an application decides about requests, and what it hears of those that are refused.

use crate::echo;
use crate::support::{Http, PATH, Polling, Response, Running, UPGRADE, Ws, masked, start, within};
use encke_server::{Cookie, Limits, SameSite, Server, ServerBuilder, Transport};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

async fn get(running: &Running, target: &str, headers: &str) -> Response {
    Http::open(running.address).await.request("GET", target, headers, b"").await
}

#[derive(Clone, Debug, PartialEq)]
struct User(String);

/// Lets in who names himself by the header `user`, and tells who was let into the main namespace.
fn guarded() -> (ServerBuilder, UnboundedReceiver<User>) {
    let (sender, users) = unbounded_channel();
    let builder = Server::builder().carry::<User>().allow_request(|request| {
        Box::pin(async move {
            // It may wait.
            tokio::task::yield_now().await;
            let user = request.headers.get("user").ok_or("who are \"you\"?\u{2028}")?;
            let user = user.to_str().map_err(|_| String::new())?.to_owned();
            request.extensions.insert(User(user));
            Ok(())
        })
    });
    let builder = builder.namespace("/", move |on| {
        on.on_connect(move |socket| {
            let user = socket.handshake().find::<User>().expect("carried over").clone();
            sender.send(user).expect("the test listens");
        });
    });
    (builder, users)
}

#[tokio::test]
async fn whom_the_application_does_not_let_in_reads_why() {
    let running = start(guarded().0).await;
    for (transport, headers) in [("polling", ""), ("websocket", UPGRADE)] {
        let target = format!("{PATH}&transport={transport}");
        let refused = get(&running, &target, headers).await;
        assert_eq!(refused.status, 403);
        assert_eq!(refused.header("content-type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_str(&refused.body).expect("JSON");
        assert_eq!(body, serde_json::json!({ "code": 4, "message": "who are \"you\"?\u{2028}" }));
        let unreadable = get(&running, &target, &format!("user: é\r\n{headers}")).await;
        assert_eq!(unreadable.body, r#"{"code":4,"message":"Forbidden"}"#);
    }
}

#[tokio::test]
async fn what_is_found_out_about_a_request_is_carried_to_its_sockets() {
    let (builder, mut users) = guarded();
    let running = start(builder).await;
    let opened = get(&running, &format!("{PATH}&transport=polling"), "user: ann\r\n").await;
    let sid = crate::support::sid_in(&opened.body);
    // Only the request that opens the session is asked.
    let target = format!("{PATH}&transport=polling&sid={sid}");
    assert_eq!(Http::open(running.address).await.request("POST", &target, "", b"40").await.body, "ok");
    assert_eq!(within(users.recv()).await, Some(User("ann".to_owned())));
    let mut ws = Ws::open(running.address, &format!("{PATH}&transport=websocket&sid={sid}")).await;
    ws.text("2probe").await;
    assert_eq!(ws.next_text().await, "3probe");
}

#[tokio::test]
async fn only_what_could_open_a_session_is_asked_about() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let running = start(echo().allow_request(move |_request| {
        counter.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    }))
    .await;
    for target in ["/socket.io/?EIO=4&transport=pigeon", "/socket.io/?EIO=9&transport=polling"] {
        assert_eq!(get(&running, target, "").await.status, 400);
    }
    assert_eq!(get(&running, &format!("{PATH}&transport=websocket"), "").await.status, 400);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    Polling::join(running.address).await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Tells code, message and context of each refused request.
fn telling(builder: ServerBuilder) -> (ServerBuilder, UnboundedReceiver<String>) {
    let (sender, errors) = unbounded_channel();
    let builder = builder.on_connection_error(move |error| {
        let code = error.code().map_or("-".to_owned(), |code| code.to_string());
        let told = format!("{} {code} {} {}", error.request().method, error.message(), error.context());
        sender.send(told).expect("the test listens");
    });
    (builder, errors)
}

#[tokio::test]
async fn every_refused_request_is_told() {
    let limits = Limits { max_payload: 10, max_head: 300, ..Limits::default() };
    let (builder, mut errors) = telling(echo().limits(limits).allow_request(|request| {
        let refused = request.headers.contains_key("refuse-me");
        Box::pin(async move { if refused { Err("not you".to_owned()) } else { Ok(()) } })
    }));
    let running = start(builder).await;
    let mut client = Polling::open(running.address).await;
    let (polling, websocket) = (format!("{PATH}&transport=polling"), format!("{PATH}&transport=websocket"));
    let long = format!("X: {}\r\n", "x".repeat(300));
    for (method, target, headers, told) in [
        ("GET", "/socket.io/?EIO=4&transport=pigeon", "", r#"0 Transport unknown {"transport":"pigeon"}"#),
        ("GET", "/socket.io/", "", r#"0 Transport unknown {"transport":null}"#),
        ("GET", &format!("{polling}&sid=none"), "", r#"1 Session ID unknown {"sid":"none"}"#),
        ("PUT", &polling, "", r#"2 Bad handshake method {"method":"PUT"}"#),
        ("GET", &websocket, "", r#"3 Bad request {"name":"TRANSPORT_HANDSHAKE_ERROR"}"#),
        ("PUT", &client.target(), "", r#"3 Bad request {"name":"BAD_REQUEST"}"#),
        ("GET", &polling, "Refuse-Me: please\r\n", r#"4 not you {"message":"not you"}"#),
        (
            "GET",
            &polling,
            "Origin: http://evil\r\n",
            r#"4 Origin not allowed {"name":"INVALID_ORIGIN","origin":"http://evil"}"#,
        ),
        (
            "GET",
            "/socket.io/?EIO=9&transport=polling",
            "",
            r#"5 Unsupported protocol version {"protocol":"9"}"#,
        ),
        ("GET", &polling, &long, "- Request head too large null"),
    ] {
        Http::open(running.address).await.request(method, target, headers, b"").await;
        assert_eq!(within(errors.recv()).await, Some(format!("{method} {told}")), "{target}");
    }
    assert_eq!(client.post("4 is too long").await.status, 413);
    assert_eq!(within(errors.recv()).await.as_deref(), Some("POST - Payload too large null"));
    assert!(errors.is_empty(), "and nothing else is");
}

#[tokio::test]
async fn a_full_server_is_told() {
    let limits = Limits { max_sessions: 1, ..Limits::default() };
    let (builder, mut errors) = telling(echo().limits(limits));
    let running = start(builder).await;
    let _first = Polling::open(running.address).await;
    for (transport, headers) in [("polling", ""), ("websocket", UPGRADE)] {
        get(&running, &format!("{PATH}&transport={transport}"), headers).await;
        assert_eq!(within(errors.recv()).await.as_deref(), Some("GET - Server full null"));
    }
}

#[tokio::test]
async fn a_preflight_is_no_refusal() {
    let (builder, mut errors) = telling(echo());
    let running = start(builder).await;
    let mut http = Http::open(running.address).await;
    let target = format!("{PATH}&transport=polling");
    assert_eq!(http.request("OPTIONS", &target, "Origin: http://evil\r\n", b"").await.status, 204);
    assert_eq!(http.request("GET", &target, "Origin: http://evil\r\n", b"").await.status, 403);
    within(errors.recv()).await.expect("of the second");
    assert!(errors.is_empty());
}

#[tokio::test]
async fn a_cookie_names_the_session_in_the_first_answer_alone() {
    let running = start(echo().cookie(Cookie::new("affinity").same_site(SameSite::Strict))).await;
    let mut http = Http::open(running.address).await;
    let target = format!("{PATH}&transport=polling");
    let opened = http.request("GET", &target, "", b"").await;
    let sid = crate::support::sid_in(&opened.body);
    let cookie = format!("affinity={sid}; Path=/; HttpOnly; SameSite=Strict");
    assert_eq!(opened.header("set-cookie"), Some(&*cookie));
    let target = format!("{target}&sid={sid}");
    for (method, body) in [("POST", "40"), ("GET", "")] {
        let answer = http.request(method, &target, "", body.as_bytes()).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{method}");
    }
    let plain = start(echo()).await;
    let opened = get(&plain, &format!("{PATH}&transport=polling"), "").await;
    assert_eq!(opened.header("set-cookie"), None, "unless set");
}

#[tokio::test]
async fn a_transport_that_is_not_there_is_unknown() {
    let unknown = r#"{"code":0,"message":"Transport unknown"}"#;
    let running = start(echo().transports(&[Transport::WebSocket])).await;
    assert_eq!(get(&running, &format!("{PATH}&transport=polling"), "").await.body, unknown);
    let mut ws = Ws::join(running.address).await;
    ws.raw(&masked(0x88, b"")).await;
    let running = start(echo().transports(&[Transport::Polling])).await;
    assert_eq!(get(&running, &format!("{PATH}&transport=websocket"), UPGRADE).await.body, unknown);
    let opened = get(&running, &format!("{PATH}&transport=polling"), "").await;
    assert!(opened.body.contains(r#""upgrades":[]"#), "{}", opened.body);
}
