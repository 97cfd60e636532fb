//! What sockets know of the request that opened their session, and of what the client said when it entered.

use crate::support::{Http, PATH, Polling, Running, UPGRADE, Ws, is_fast, start, within};
use axum::extract::Request;
use axum::middleware::{self, Next};
use encke_server::{Limits, Listener, Remote, Server, ServerBuilder, Socket};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Hands out the sockets that enter.
fn entering() -> (ServerBuilder, mpsc::UnboundedReceiver<Socket>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Server::builder().namespace("/", |on| {
        on.on_connect(move |socket| sender.send(socket.clone()).expect("the test listens"));
    });
    (builder, receiver)
}

#[tokio::test]
async fn a_socket_knows_the_request_that_opened_its_session() {
    let (builder, mut sockets) = entering();
    let running = start(builder).await;
    let target = format!("{PATH}&transport=websocket&token=a%20b%2Bc");
    let mut stream = TcpStream::connect(running.address).await.expect("a server");
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: server\r\nCookie: a=1\r\nX-Forwarded-Proto: https, http\r\n{UPGRADE}\r\n"
    );
    tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await.expect("written");
    let mut answer = Http(stream);
    assert_eq!(answer.receive().await.status, 101);
    let _client = Ws(answer.0).enter().await;
    let socket = within(sockets.recv()).await.expect("a socket");
    let handshake = socket.handshake();
    assert_eq!(handshake.url(), target);
    assert_eq!(handshake.query("token").as_deref(), Some("a b+c"));
    assert_eq!(handshake.header("Cookie"), Some("a=1"));
    assert!(handshake.is_secure());
    // axum finds it out only if it is told to.
    assert_eq!(handshake.remote_address().is_some(), is_fast());
    assert!(handshake.time().elapsed().expect("in the past") < std::time::Duration::from_secs(60));
    let names: Vec<&str> = handshake.headers().map(|(name, _)| name).collect();
    assert_eq!(names, ["host", "cookie", "x-forwarded-proto"], "what concerns the connection is not kept");
    assert_eq!(socket.auth().text(), "{}");
}

#[tokio::test]
async fn the_handshake_stays_that_of_the_first_request() {
    let (builder, mut sockets) = entering();
    let running = start(builder).await;
    let mut client = Polling::open(running.address).await;
    let sid = client.sid.clone();
    let headers = "Content-Type: text/plain\r\nCookie: late=1\r\n";
    let target = client.target();
    client.posts.request("POST", &target, headers, br#"40{"user":"Ann"}"#).await;
    client.poll().await;
    let mut ws = client.probe().await;
    ws.text("5").await;
    ws.settle().await;
    let socket = within(sockets.recv()).await.expect("a socket");
    assert_eq!(socket.handshake().url(), format!("{PATH}&transport=polling"), "{sid}");
    assert_eq!(socket.handshake().header("cookie"), None);
    assert!(!socket.handshake().is_secure());
    assert_eq!(socket.auth().text(), r#"{"user":"Ann"}"#);
}

#[tokio::test]
async fn the_remote_address_is_known_behind_any_listener() {
    for listens in 0..3 {
        let (builder, mut sockets) = entering();
        let server = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, app) = (listener.local_addr().expect("bound"), server.router());
        tokio::spawn(async move {
            if listens == 0 {
                let app = app.into_make_service_with_connect_info::<SocketAddr>();
                return axum::serve(listener, app).await;
            }
            let own = if listens == 1 { Listener::from(listener) } else { server.listener(listener) };
            axum::serve(own, app.into_make_service_with_connect_info::<Remote>()).await
        });
        let client = Ws::join(address).await;
        let socket = within(sockets.recv()).await.expect("a socket");
        assert_eq!(socket.handshake().remote_address(), client.0.local_addr().ok());
    }
}

#[tokio::test]
async fn what_middleware_has_found_out_is_carried_to_the_sockets() {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct User(String);
    #[derive(Clone)]
    struct NotAskedFor;

    let (builder, mut sockets) = entering();
    let server = builder.carry::<User>().build();
    let authenticate = async |mut request: Request, next: Next| {
        let user = User(request.uri().path().to_owned());
        request.extensions_mut().insert(user);
        request.extensions_mut().insert(NotAskedFor);
        next.run(request).await
    };
    let app = server.router().layer(middleware::from_fn(authenticate));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    for upgrade in [true, false] {
        if upgrade {
            Ws::join(address).await;
        } else {
            Polling::join(address).await;
        }
        let socket = within(sockets.recv()).await.expect("a socket");
        assert_eq!(socket.handshake().find::<User>(), Some(&User("/socket.io/".to_owned())));
        assert!(socket.handshake().find::<NotAskedFor>().is_none());
    }
}

#[tokio::test]
async fn what_a_session_would_have_to_keep_is_bounded() {
    let limits = Limits { max_head: 1_000, max_auth: 20, ..Limits::default() };
    let running: Running = start(crate::echo().limits(limits)).await;
    for (transport, headers) in [("polling", ""), ("websocket", UPGRADE)] {
        let target = format!("{PATH}&transport={transport}");
        let headers = format!("{headers}Cookie: {}\r\n", "x".repeat(1_000));
        let refused = Http::open(running.address).await.request("GET", &target, &headers, b"").await;
        assert_eq!((refused.status, refused.body.as_str()), (431, ""));
    }
    let mut client = Polling::open(running.address).await;
    let target = client.target();
    let headers = format!("Content-Type: text/plain\r\nCookie: {}\r\n", "x".repeat(1_000));
    let taken = client.posts.request("POST", &target, &headers, br#"40{"token":"0123456789"}"#).await;
    assert_eq!(taken.body, "ok", "later requests are not kept");
    assert_eq!(client.poll().await, r#"44{"message":"The auth payload is too long"}"#);
    client.post(r#"40{"token":"0123"}"#).await;
    assert!(client.poll().await.starts_with(r#"40{"sid""#));
}

#[tokio::test]
async fn a_session_of_raw_messages_knows_its_request_too() {
    let running = start(Server::builder().path("/socket.io").raw(|on| {
        on.on_open(|session| session.send(&*session.handshake().query("name").expect("in the query")));
    }))
    .await;
    let mut client = Ws::open(running.address, &format!("{PATH}&transport=websocket&name=Ann%21")).await;
    assert!(client.next_text().await.starts_with("0{"));
    assert_eq!(client.next_text().await, "4Ann!");
}
