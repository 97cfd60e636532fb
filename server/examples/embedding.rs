//! In an axum application that is there already: its own routes, state, middleware, static page and graceful shutdown.
//!
//! `cargo run --example embedding [port]`, port 3000 unless given. Open it in a browser, then
//! `curl -H 'X-User: Ann' -d 'tea is ready' http://localhost:3000/announce`. Ctrl-C ends it without losing anybody's words.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{Html, Response};
use axum::routing::{get, post};
use encke_server::{Handlers, Listener, Server};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Who a request comes from: what the application's own middleware has found out.
#[derive(Clone)]
struct User(String);

/// The application's state, which its routes and the handlers share.
#[derive(Clone)]
struct App {
    announcements: Arc<AtomicU32>,
    server: Server,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(3000_u16);
    let announcements = Arc::new(AtomicU32::new(0));
    let server = Server::builder()
        .state(announcements.clone())
        // From the request that opens a session to its sockets.
        .carry::<User>()
        .namespace("/", handlers)
        .build();
    let app = Router::new()
        .route("/", get(Html(include_str!("embedding.html"))))
        .route("/announce", post(announce))
        .with_state(App { announcements, server: server.clone() })
        .merge(server.router())
        .layer(middleware::from_fn(identify));
    let listener = Listener::from(tokio::net::TcpListener::bind(("127.0.0.1", port)).await?);
    println!("listening on http://{}", axum::serve::Listener::local_addr(&listener)?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            // First the clients, who come to fetch what is left for them; then axum ends the rest.
            if tokio::signal::ctrl_c().await.is_ok() {
                server.close(Duration::from_secs(5)).await;
            }
        })
        .await
}

fn handlers(on: &mut Handlers) {
    on.on_connect(|socket| {
        let name = socket.handshake().find::<User>().map_or("somebody", |User(name)| name);
        socket.broadcast().emit_named("news", &format!("{name} is here"));
    });
    on.on_named("how many", |socket, _args, ack| {
        let _ = ack.send(&socket.state::<Arc<AtomicU32>>().load(Ordering::Relaxed));
    });
}

/// A route of the application that tells everybody.
async fn announce(State(app): State<App>, text: String) -> StatusCode {
    app.announcements.fetch_add(1, Ordering::Relaxed);
    let Some(namespace) = app.server.namespace("/") else { return StatusCode::NOT_FOUND };
    // Accepted by all servers that share the namespace, here: by this one.
    match namespace.everybody().emit_named("news", &text).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Stands for what knows people, such as a session cookie. It runs for the server's requests too.
async fn identify(mut request: Request, next: Next) -> Response {
    if let Some(name) = request.headers().get("X-User").and_then(|name| name.to_str().ok()) {
        let user = User(name.to_owned());
        request.extensions_mut().insert(user);
    }
    next.run(request).await
}
