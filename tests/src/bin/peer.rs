//! The server that the browser client's tests talk to: it does what the events of its clients ask for.
//!
//! It prints `listening http://<address>` and serves until it is ended. It must not judge: the tests do.
//!
//! At `/socket.io/`, for pages of any origin:
//! * namespace `/`: the typed events of `contract.rs`, and by name `echo` (the ack holds the arguments), `bounce` (the same
//!   event comes back), `shout` (the same event goes to all others), `silent` (no ack ever comes), `kick` (out of the
//!   namespace), `cut` (the connection ends), `gone` (the ack comes when the client of that id has left, and says why);
//! * `/refused` lets nobody in; `/auth` lets in who says `{"token": "right"}`; `/second` has `echo`.
//!
//! The same, but
//! * at `/no-websocket/` WebSockets do not get through, as behind some middleboxes;
//! * at `/refused-forms/` each form of JSONP seems to be too long, and the server loses patience with nobody;
//! * at `/silent-forms/` no form of JSONP is answered or heard, and the server's heart beats fast;
//! * at `/engine-v3/` clients of Engine.IO v3 are served too;
//! * at `/msgpack/` packets are msgpack.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener as _;
use clap::Parser;
use encke_server::Parser as PacketForm;
use encke_server::{Ack, Args, Handlers, Limits, Origins, Refusal, Server, ServerBuilder, Socket};
use encke_tests::contract::{Add, AskMe, Count, Notice, Question};
use encke_tests::partings;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// For clients to say goodbye when the server stops.
const PATIENCE: Duration = Duration::from_secs(3);
/// Later than any test.
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
/// Bytes of what is compressed, if that is asked for.
const COMPRESSED: usize = 1_024;
/// Nothing waits for what comes so soon.
const SOON: Duration = Duration::from_millis(500);

/// A Socket.IO server for tests.
#[derive(Parser)]
struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Milliseconds between two heartbeats.
    #[arg(long, default_value_t = 25_000)]
    ping_interval: u64,
    /// Milliseconds for the answer to one.
    #[arg(long, default_value_t = 20_000)]
    ping_timeout: u64,
    /// Origins whose pages may connect; without any, all may.
    #[arg(long)]
    allow_origin: Vec<String>,
    /// Messages and answers are compressed where clients like that.
    #[arg(long)]
    compress: bool,
    /// Only the server's own pages may connect.
    #[arg(long)]
    same_origin: bool,
}

impl Options {
    fn origins(&self) -> Origins {
        match self {
            Self { same_origin: true, .. } => Origins::Own,
            Self { allow_origin, .. } if allow_origin.is_empty() => Origins::Any,
            Self { allow_origin, .. } => Origins::Listed(allow_origin.clone()),
        }
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = Options::parse();
    let heartbeat = [options.ping_interval, options.ping_timeout].map(Duration::from_millis);
    let server = server_at("/socket.io", &options, heartbeat).build();
    let blocked = server_at("/no-websocket", &options, heartbeat).build();
    let refusing = server_at("/refused-forms", &options, [NEVER; 2])
        .limits(Limits { connect_timeout: NEVER, ..Limits::default() })
        .build();
    let silent = server_at("/silent-forms", &options, [SOON; 2]).build();
    let old = server_at("/engine-v3", &options, heartbeat).engine_v3(true).build();
    let msgpack = server_at("/msgpack", &options, heartbeat).parser(PacketForm::MsgPack).build();
    let app = Router::new()
        .merge(server.router())
        .merge(old.router())
        .merge(msgpack.router())
        .merge(blocked.router().layer(middleware::from_fn(block_websockets)))
        .merge(refusing.router().layer(middleware::from_fn(lengthen_forms)))
        .merge(silent.router().layer(middleware::from_fn(swallow_forms)));
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = server.listener(tokio::net::TcpListener::bind(options.listen).await?);
    println!("listening http://{}", listener.local_addr()?);
    tokio::select! {
        result = axum::serve(listener, app) => result,
        _ = terminate.recv() => {
            server.close(PATIENCE).await;
            Ok(())
        }
    }
}

fn server_at(path: &str, options: &Options, [ping_interval, ping_timeout]: [Duration; 2]) -> ServerBuilder {
    let mut server = Server::builder();
    if options.compress {
        server = server.per_message_deflate(COMPRESSED).http_compression(COMPRESSED);
    }
    server
        .path(path)
        .origins(options.origins())
        .ping_interval(ping_interval)
        .ping_timeout(ping_timeout)
        .namespace("/", main_namespace)
        .namespace("/second", |on| {
            on.on_named("echo", echo);
        })
        .namespace("/refused", |on| {
            on.admit(|_, _| Err(refusal()));
        })
        .namespace("/auth", |on| {
            on.admit(|_, auth| if auth.text() == r#"{"token":"right"}"# { Ok(()) } else { Err(refusal()) });
        })
}

fn refusal() -> Refusal {
    Refusal::new("go away").with_data(&serde_json::json!({ "code": 7 })).expect("JSON can be written")
}

fn main_namespace(on: &mut Handlers) {
    partings::tell(on);
    on.on(|_, add: Add| add.a.checked_add(add.b).ok_or_else(|| "too large".to_owned()));
    on.on_async(|socket, ask: AskMe| async move {
        let answer = socket.emit_with_ack(&Question { text: ask.text }).await;
        answer.map_err(|error| format!("refused: {error}"))
    });
    on.on(|socket, count: Count| {
        for number in 1..=count.to {
            socket.emit(&Notice { number, text: String::new() }).expect("a notice can be written");
        }
    });
    on.on(|socket, notice: Notice| {
        socket.broadcast().emit(&notice);
    });
    on.on_named("echo", echo);
    on.on_named("bounce", |socket, args, _| {
        socket.emit_named("bounce", &args).expect("arguments go on as they are");
    });
    on.on_named("shout", |socket, args, _| {
        socket.broadcast().emit_named("shout", &args);
    });
    on.on_named("silent", |socket, _, ack| keep(socket, ack));
    on.on_named("kick", |socket, _, _| socket.disconnect());
    on.on_named("cut", |socket, _, _| socket.close());
}

fn echo(_: &Socket, args: Args<'_>, ack: Ack) {
    ack.send(&args).expect("arguments go on as they are");
}

/// Acks that are never answered. Dropped they would answer themselves.
#[derive(Default)]
struct Kept(Mutex<Vec<Ack>>);

fn keep(socket: &Socket, ack: Ack) {
    if socket.find::<Kept>().is_none() {
        socket.set(Kept::default());
    }
    if let Some(kept) = socket.find::<Kept>() {
        kept.0.lock().expect("nobody panics under this lock").push(ack);
    }
}

async fn block_websockets(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if query.contains("transport=websocket") {
        return (StatusCode::BAD_GATEWAY, "no WebSockets here").into_response();
    }
    next.run(request).await
}

async fn lengthen_forms(mut request: Request, next: Next) -> Response {
    if is_form(&request) {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("1000000000"));
    }
    next.run(request).await
}

async fn swallow_forms(request: Request, next: Next) -> Response {
    if is_form(&request) {
        return std::future::pending().await;
    }
    next.run(request).await
}

fn is_form(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().query().is_some_and(|query| query.contains("&j="))
}
