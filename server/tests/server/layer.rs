//! The server among an application's own routes: as a router, as a layer, nested, and behind middleware.

use crate::echo;
use crate::support::{Http, Polling, UPGRADE, Ws};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use encke_server::Origins;
use std::net::SocketAddr;
use tokio::net::TcpListener;

#[derive(Clone)]
struct App(&'static str);

/// An application with state of its own, and a page that shows it.
fn pages() -> Router<App> {
    Router::new().route("/page", get(|State(App(words)): State<App>| async move { words }))
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn ask(address: SocketAddr, target: &str, headers: &str) -> (u16, String) {
    let answer = Http::open(address).await.request("GET", target, headers, b"").await;
    (answer.status, answer.body)
}

/// Only who says the password gets through.
async fn guard(request: Request, next: Next) -> Response {
    if request.headers().get("password").is_none_or(|password| password != "right") {
        return (StatusCode::UNAUTHORIZED, "the password?").into_response();
    }
    next.run(request).await
}

#[tokio::test]
async fn as_a_layer_the_server_takes_its_own_requests_and_no_others() {
    let app = pages().with_state(App("a page")).layer(echo().build().layer());
    let address = serve(app).await;
    assert_eq!(ask(address, "/page", "").await, (200, "a page".to_owned()));
    for other in ["/socket.io/x", "/socket.iox", "/socket", "/", "/a/socket.io/"] {
        assert_eq!(ask(address, other, "").await.0, 404, "{other}");
    }
    assert_eq!(ask(address, "/socket.io?EIO=4&transport=polling", "").await.0, 200);
    let mut client = Polling::join(address).await;
    client.post(r#"421["echo",1]"#).await;
    assert_eq!(client.poll().await, "431[1]");
    let mut ws = Ws::join(address).await;
    ws.text(r#"422["echo",2]"#).await;
    assert_eq!(ws.next_text().await, "432[2]");
}

#[tokio::test]
async fn middleware_that_is_added_later_sees_requests_first() {
    let (layered, merged) = (echo().build(), echo().path("/other").build());
    let app = pages()
        .with_state(App("a page"))
        .merge(merged.router())
        .layer(layered.layer())
        .layer(middleware::from_fn(guard));
    let address = serve(app).await;
    for target in ["/socket.io/?EIO=4&transport=polling", "/other/?EIO=4&transport=polling", "/page"] {
        assert_eq!(ask(address, target, "").await, (401, "the password?".to_owned()), "{target}");
        assert_eq!(ask(address, target, "Password: right\r\n").await.0, 200, "{target}");
        let websocket = target.replace("polling", "websocket");
        assert_eq!(ask(address, &websocket, UPGRADE).await.0, 401, "{target}");
    }
}

#[tokio::test]
async fn a_server_may_be_nested() {
    let inner = pages().layer(echo().build().layer());
    let app = Router::new()
        .nest_service("/layered", inner.with_state(App("a page")))
        .nest("/routed", echo().build().router());
    let address = serve(app).await;
    assert_eq!(ask(address, "/layered/page", "").await, (200, "a page".to_owned()));
    for prefix in ["/layered", "/routed"] {
        let target = format!("{prefix}/socket.io/?EIO=4&transport=websocket");
        let mut ws = Ws::open(address, &target).await.enter().await;
        ws.text(r#"421["echo",1]"#).await;
        assert_eq!(ws.next_text().await, "431[1]");
    }
    assert_eq!(ask(address, "/socket.io/?EIO=4&transport=polling", "").await.0, 404);
}

/// As `tower_http`'s layer for CORS does: it answers preflights, and says of every answer who may read it.
async fn cors(request: Request, next: Next) -> Response {
    let mut response =
        if request.method() == "OPTIONS" { StatusCode::OK.into_response() } else { next.run(request).await };
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

#[tokio::test]
async fn a_layer_for_cors_of_the_applications_own_has_the_last_word() {
    let app = Router::new().layer(echo().origins(Origins::Any).build().layer());
    let address = serve(app.layer(middleware::from_fn(cors))).await;
    let mut http = Http::open(address).await;
    let target = "/socket.io/?EIO=4&transport=polling";
    for (method, status) in [("OPTIONS", 200), ("GET", 200), ("PUT", 400)] {
        let answer = http.request(method, target, "Origin: http://elsewhere\r\n", b"").await;
        assert_eq!(answer.status, status, "{method}");
        let allowed: Vec<_> =
            answer.head.lines().filter(|line| line.to_lowercase().contains("allow-origin")).collect();
        assert_eq!(allowed, ["access-control-allow-origin: *"], "{method}");
    }
}

#[test]
#[should_panic = "a path begins with a slash"]
fn a_path_that_nothing_could_match_is_refused() {
    let _ = encke_server::Server::builder().path("chat");
}
