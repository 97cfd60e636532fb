//! What the server costs, over real sockets: one client does something, and the server is counted until it rests again.
//!
//! Owns the application and the plays. What a scenario is for stands in the table of `main.rs`.

mod stage;

pub use stage::Stage;

use crate::client::{Polling, WebSocket};
use encke_server::{Args, Handlers, Recovery, Refusal, Server, ServerBuilder, Socket};
use stage::{Route, play};

/// Bytes in most texts.
const TEXT_BYTES: usize = 64;
/// As many as one broadcast reaches.
const CROWD: usize = 1_000;
/// Enough that what differs from one session id to the next evens out.
const FEW: usize = 20;
/// Of the crowd that is split into rooms.
const ROOM: usize = 10;

fn server() -> ServerBuilder {
    Server::builder().namespace("/", events)
}

fn events(on: &mut Handlers) {
    on.on_named("chat", |socket, args, _ack| {
        socket.broadcast().emit_named("chat", &args);
    });
    on.on_named("echo", |_socket, args, ack| ack.send(&args).expect("what was read can be written"));
    on.on_call("join", join);
    on.on_call("room", tell);
}

fn join(socket: &Socket, args: Args<'_>) -> Result<(), Refusal> {
    let (room,): (String,) = args.decode()?;
    socket.join(&room);
    Ok(())
}

fn tell(socket: &Socket, args: Args<'_>) -> Result<(), Refusal> {
    let (room, text): (String, String) = args.decode()?;
    socket.to(&room).emit_named("room", &(text,));
    Ok(())
}

fn text() -> String {
    "x".repeat(TEXT_BYTES)
}

/// `count` clients over WebSocket.
fn websockets(stage: &Stage, count: usize) -> Vec<WebSocket> {
    (0..count).map(|_| WebSocket::join(stage)).collect()
}

pub fn broadcast() -> u64 {
    const ROUNDS: u64 = 20;
    let packet = format!(r#"42["chat","{}"]"#, text());
    let enter = |stage: &Stage| websockets(stage, CROWD + 1);
    play(server().build(), Route::Listener, ROUNDS, enter, |stage, clients| {
        let (speaker, others) = clients.split_first_mut().expect("there is a crowd");
        speaker.say(stage, &packet);
        others.iter_mut().for_each(|other| assert_eq!(other.text(), packet));
    });
    ROUNDS * CROWD as u64
}

pub fn broadcast_of_bytes() -> u64 {
    const ROUNDS: u64 = 20;
    let packet = r#"451-["chat",{"_placeholder":true,"num":0}]"#;
    let enter = |stage: &Stage| websockets(stage, CROWD + 1);
    play(server().build(), Route::Listener, ROUNDS, enter, |stage, clients| {
        let (speaker, others) = clients.split_first_mut().expect("there is a crowd");
        speaker.say_with(stage, packet, &[0xC5; TEXT_BYTES]);
        for other in others {
            assert!(other.text().starts_with(r#"451-["chat","#));
            assert_eq!(other.bytes().len(), TEXT_BYTES);
        }
    });
    ROUNDS * CROWD as u64
}

pub fn room() -> u64 {
    let heard = format!(r#"42["room","{}"]"#, text());
    rooms_of(server(), |packet| packet == heard)
}

/// Who hears something learns its position, too. In a small room, since once for an event is what it costs to write it down.
pub fn room_with_recovery() -> u64 {
    let before = format!(r#"42["room","{}",""#, text());
    rooms_of(server().recovery(Recovery::default()), |packet| packet.starts_with(&before))
}

fn rooms_of(builder: ServerBuilder, is_right: impl Fn(&str) -> bool + Sync) -> u64 {
    const ROUNDS: u64 = 20;
    let enter = |stage: &Stage| {
        let mut clients = websockets(stage, FEW * ROOM);
        for (number, client) in clients.iter_mut().enumerate() {
            client.say(stage, &format!(r#"420["join","room {}"]"#, number / ROOM));
            assert_eq!(client.text(), "430[]");
        }
        clients
    };
    let text = text();
    play(builder.build(), Route::Listener, ROUNDS, enter, |stage, clients| {
        for (number, room) in clients.chunks_mut(ROOM).enumerate() {
            let (speaker, others) = room.split_first_mut().expect("nobody has left");
            speaker.say(stage, &format!(r#"42["room","room {number}","{text}"]"#));
            others.iter_mut().for_each(|other| assert!(is_right(&other.text())));
        }
    });
    ROUNDS * FEW as u64
}

pub fn echo() -> u64 {
    echoes_of(TEXT_BYTES)
}

pub fn echo_large() -> u64 {
    echoes_of(16 * 1024)
}

fn echoes_of(bytes: usize) -> u64 {
    const ROUNDS: u64 = 20;
    let text = "x".repeat(bytes);
    let (event, ack) = (format!(r#"421["echo","{text}"]"#), format!(r#"431["{text}"]"#));
    play(
        server().build(),
        Route::Listener,
        ROUNDS,
        |stage| websockets(stage, FEW),
        |stage, clients| {
            for client in clients {
                client.say(stage, &event);
                assert_eq!(client.text(), ack);
            }
        },
    );
    ROUNDS * FEW as u64
}

pub fn echo_at_once() -> u64 {
    const ROUNDS: u64 = 10;
    const AT_ONCE: usize = 16;
    let text = text();
    let events: Vec<_> = (0..AT_ONCE).map(|id| format!(r#"42{id}["echo","{text}"]"#)).collect();
    play(
        server().build(),
        Route::Listener,
        ROUNDS,
        |stage| websockets(stage, FEW),
        |stage, clients| {
            for client in clients {
                client.say_all(stage, &events);
                (0..AT_ONCE).for_each(|id| assert_eq!(client.text(), format!(r#"43{id}["{text}"]"#)));
            }
        },
    );
    ROUNDS * (FEW * AT_ONCE) as u64
}

pub fn echo_by_polling() -> u64 {
    polled_echoes(Route::Listener)
}

pub fn echo_by_polling_through_axum() -> u64 {
    polled_echoes(Route::Axum)
}

fn polled_echoes(route: Route) -> u64 {
    const ROUNDS: u64 = 10;
    let text = text();
    let (event, ack) = (format!(r#"421["echo","{text}"]"#), format!(r#"431["{text}"]"#));
    let enter = |stage: &Stage| (0..FEW).map(|_| Polling::join(stage)).collect::<Vec<_>>();
    play(server().build(), route, ROUNDS, enter, |stage, clients| {
        for client in clients {
            client.poll(stage);
            client.post(stage, &event);
            assert_eq!(client.polled(), ack);
        }
    });
    ROUNDS * FEW as u64
}

const VISITS: u64 = 100;

/// A client after the other comes and goes, while one stays.
fn visits(route: Route, visit: impl Fn(&Stage) + Sync) -> u64 {
    play(server().build(), route, VISITS, WebSocket::join, |stage, _stays| visit(stage));
    VISITS
}

pub fn handshake() -> u64 {
    visits(Route::Listener, |stage| WebSocket::join(stage).leave(stage))
}

pub fn handshake_through_axum() -> u64 {
    visits(Route::Axum, |stage| WebSocket::join(stage).leave(stage))
}

pub fn handshake_by_polling() -> u64 {
    visits(Route::Listener, |stage| Polling::join(stage).leave(stage))
}

pub fn handshake_by_polling_through_axum() -> u64 {
    visits(Route::Axum, |stage| Polling::join(stage).leave(stage))
}

pub fn handshake_with_upgrade() -> u64 {
    visits(Route::Listener, |stage| Polling::join(stage).upgrade(stage).leave(stage))
}
