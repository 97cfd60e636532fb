//! The server of the interop matrix: one application at several paths, set up differently, that does what its clients ask for.
//!
//! It prints `listening http://<address>` and serves until it is asked to stop. It must not judge: the clients in `peers/` do.
//!
//! | path | is |
//! |---|---|
//! | `/socket.io/` | as it is out of the box |
//! | `/lively/` | with a heartbeat three times a second |
//! | `/brisk/` | the same, and it gives nobody more than a second to answer |
//! | `/remembering/` | with recovery |
//! | `/engine.io/` | Engine.IO alone; every message comes back |
//! | `/late/` | a WebSocket gets through only when its session has polled [`ENOUGH`] times |
//!
//! All serve clients of Engine.IO v3 too. All but Engine.IO alone stand below `/msgpack/` as well, and speak that there. They have
//! the namespaces `/`, `/second`, `/refused` (lets nobody in), `/auth` (lets in who says `{"token": "right"}`) and `/of/` followed
//! by any name, so that nobody hears another's broadcasts. In all of them an event is one of [`handlers`].

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::Listener as _;
use encke_server::{
    Ack, AckError, Args, Handlers, Listener, Origins, Parser, Recovery, Refusal, Server, ServerBuilder,
    Socket,
};
use encke_tests::partings;
use serde::Deserialize;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

/// For clients to say goodbye when the server stops.
const PATIENCE: Duration = Duration::from_secs(3);
/// Three times a second.
const LIVELY: Duration = Duration::from_millis(300);
/// Polls, see [`hold_back`].
const ENOUGH: u32 = 20;
/// For an answer that never comes.
const SHORT: Duration = Duration::from_millis(200);

/// The server of the interop matrix.
#[derive(clap::Parser)]
struct Options {
    /// Address and port to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Stop when standard input ends, as it does with whoever has started this.
    #[arg(long)]
    until_input_ends: bool,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let options = <Options as clap::Parser>::parse();
    let parsers = [("", Parser::Json), ("/msgpack", Parser::MsgPack)];
    let servers: Vec<Server> = parsers.into_iter().flat_map(below).chain([messages()]).collect();
    let app = servers.iter().fold(Router::new(), |app, server| app.merge(server.router()));
    let app = app.layer(middleware::from_fn_with_state(watch::Sender::default(), hold_back));
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = Listener::from(tokio::net::TcpListener::bind(options.listen).await?);
    println!("listening http://{}", listener.local_addr()?);
    // It goes on serving until all have been told: who polls has to come and hear it.
    let stopped = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            () = abandoned(), if options.until_input_ends => {}
        }
        for server in &servers {
            server.close(PATIENCE).await;
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await
}

/// The servers whose paths begin so.
fn below((above, parser): (&str, Parser)) -> [Server; 5] {
    let at = |path| at(&format!("{above}{path}")).parser(parser);
    [
        at("/socket.io"),
        at("/lively").ping_interval(LIVELY),
        at("/brisk").ping_interval(LIVELY).ping_timeout(Duration::from_secs(1)),
        at("/late"),
        at("/remembering").recovery(Recovery::default()),
    ]
    .map(ServerBuilder::build)
}

/// Engine.IO alone.
fn messages() -> Server {
    let server = Server::builder().origins(Origins::Any).engine_v3(true).raw(|on| {
        on.on_message(|session, message| session.send(message));
    });
    server.build()
}

/// Whoever has started this program has gone.
async fn abandoned() {
    let (ended, end) = oneshot::channel();
    // A thread of its own: one of the runtime's would keep the program from ending while it reads.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = ended.send(());
    });
    let _ = end.await;
}

/// How often each session has polled.
type Polls = HashMap<String, u32>;

/// Makes the WebSockets of `/late/` wait, so that messages are on their way when the transport changes.
async fn hold_back(State(polls): State<watch::Sender<Polls>>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let session = query.split('&').find_map(|field| field.strip_prefix("sid=")).map(str::to_owned);
    if let Some(session) = session.filter(|_| request.uri().path().contains("/late")) {
        if query.contains("transport=websocket") {
            let enough = |polls: &Polls| polls.get(&session).is_some_and(|&polls| polls >= ENOUGH);
            // It is never closed: this is a sender.
            let _ = polls.subscribe().wait_for(enough).await;
        } else if request.method() == Method::GET {
            polls.send_modify(|polls| *polls.entry(session).or_default() += 1);
        }
    }
    next.run(request).await
}

fn at(path: &str) -> ServerBuilder {
    Server::builder()
        .path(path)
        .origins(Origins::Any)
        .engine_v3(true)
        .namespace("/", handlers)
        .namespace("/second", handlers)
        .namespaces("/of/{name}", handlers)
        .namespace("/refused", |on| {
            on.admit(|_, _| Err(refusal()));
        })
        .namespace("/auth", |on| {
            on.admit(|_, auth| match auth.decode::<Token>() {
                Ok(Token { token }) if token == "right" => Ok(()),
                _ => Err(refusal()),
            });
            handlers(on);
        })
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

fn refusal() -> Refusal {
    Refusal::new("go away").with_data(&serde_json::json!({ "code": 7 })).expect("JSON can be written")
}

/// Names that a careless server looks up where it should not, and where it does not find them.
const NAMES: [&str; 6] = ["__proto__", "constructor", "hasOwnProperty", "", "é\u{2028}🦀", "message"];

fn handlers(on: &mut Handlers) {
    on.on_named("echo", |_, args, ack| answer(ack, &args));
    on.on_named("bounce", |socket, args, _| emit(socket, "bounce", &args));
    for name in NAMES.iter().map(|name| (*name).to_owned()).chain(["n".repeat(10_000)]) {
        on.on_named(&name.clone(), move |socket, args, ack| {
            emit(socket, &name, &args);
            answer(ack, &args);
        });
    }
    // How long the text is, for those who must not get it back.
    on.on_named("size", |socket, args, _| {
        let size = args.attachments().first().map_or_else(
            || args.decode::<(String,)>().map(|(text,)| text.len()).unwrap_or_default(),
            Vec::len,
        );
        emit(socket, "size", &size);
    });
    on.on_named("count", |socket, args, _| {
        let (to,): (u32,) = args.decode().expect("a number");
        (1..=to).for_each(|number| emit(socket, "number", &number));
    });
    on.on_named("silent", keep);
    on.on_named("id", |socket, _, ack| answer(ack, &socket.id().to_string()));
    on.on_named_async("patience", |_, args, ack| async move {
        let (millis,): (u64,) = args.decode().expect("a number");
        tokio::time::sleep(Duration::from_millis(millis)).await;
        answer(ack, "over");
    });
    asking(on);
    rooms(on);
    survey(on);
    leaving(on);
}

/// The server asks, and tells what it was answered.
fn asking(on: &mut Handlers) {
    on.on_named_async("ask", |socket, args, ack| async move {
        let asked = socket.timeout(Duration::from_secs(20)).emit_named_with_ack("question", &args).await;
        told(ack, asked);
    });
    on.on_named_async("ask-briefly", |socket, args, ack| async move {
        let asked = socket.timeout(SHORT).emit_named_with_ack("question", &args).await;
        told(ack, asked);
    });
}

fn told(ack: Ack, asked: Result<Args<'_>, AckError>) {
    match asked {
        Ok(args) => answer(ack, &args),
        Err(AckError::Timeout) => answer(ack, "no answer"),
        Err(error) => answer(ack, &error.to_string()),
    }
}

fn rooms(on: &mut Handlers) {
    on.on_named("join", |socket, args, ack| {
        socket.join(name(&args));
        answer(ack, "joined");
    });
    on.on_named("leave", |socket, args, ack| {
        socket.leave(name(&args));
        answer(ack, "left");
    });
    on.on_named("tell", |socket, args, _| {
        let (room, words): (String, serde_json::Value) = args.decode().expect("a room and words");
        socket.to(&room).emit_named("told", &(words,));
    });
    on.on_named("shout", |socket, args, _| {
        socket.broadcast().emit_named("shout", &args);
    });
    on.on_named("volatile", |socket, args, _| {
        let (room, to): (String, u32) = args.decode().expect("a room and a number");
        for number in 1..=to {
            let others = socket.to(&room).volatile();
            others.emit_named("number", &number).expect("numbers can be written");
        }
        socket.to(&room).emit_named("end", &());
    });
}

/// What all others in the room have answered, and how many of them have not.
fn survey(on: &mut Handlers) {
    on.on_named_async("survey", |socket, args, ack| async move {
        let (room, question): (String, serde_json::Value) = args.decode().expect("a room and a question");
        let others = socket.to(&room).timeout(SHORT);
        let asked = others.emit_named_with_ack("question", &(question,)).expect("it can be written");
        let (mut answered, mut silent): (Vec<serde_json::Value>, u32) = (Vec::new(), 0);
        for answer in asked.all().await {
            match answer.result {
                Ok(args) => answered.extend(args.decode::<Vec<serde_json::Value>>().expect("JSON")),
                Err(_) => silent += 1,
            }
        }
        answer(ack, &(answered, silent));
    });
}

/// Ways to part, and what the server says of it afterwards.
fn leaving(on: &mut Handlers) {
    partings::tell(on);
    on.on_named("kick", |socket, _, _| socket.disconnect());
    on.on_named("throw out", |socket, _, _| {
        socket.disconnect();
        socket.close();
    });
    on.on_named("cut", |socket, _, _| socket.close());
}

fn name(args: &Args<'_>) -> String {
    args.decode::<(String,)>().expect("a name").0
}

fn answer(ack: Ack, args: &(impl encke_server::Arguments + ?Sized)) {
    ack.send(args).expect("an answer can be written");
}

fn emit(socket: &Socket, name: &str, args: &(impl encke_server::Arguments + ?Sized)) {
    socket.emit_named(name, args).expect("an event can be written");
}

/// Acks that are never answered. Dropped they would answer themselves.
#[derive(Default)]
struct Kept(Mutex<Vec<Ack>>);

fn keep(socket: &Socket, _: Args<'_>, ack: Ack) {
    if socket.find::<Kept>().is_none() {
        socket.set(Kept::default());
    }
    if let Some(kept) = socket.find::<Kept>() {
        kept.0.lock().expect("nobody panics under this lock").push(ack);
    }
}
