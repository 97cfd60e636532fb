//! The server over real connections, one file a topic. `ENCKE_FRONT=fast` has servers answer behind their own listener, which
//! `cargo xtask test` does too.

#[path = "support/raw.rs"]
mod support;

#[path = "server/acks.rs"]
mod acks;
#[path = "server/answers.rs"]
mod answers;
#[path = "server/around.rs"]
mod around;
#[path = "server/backplane.rs"]
mod backplane;
#[path = "server/binary.rs"]
mod binary;
#[path = "server/closing.rs"]
mod closing;
#[path = "server/compression.rs"]
mod compression;
#[path = "server/engine_v3.rs"]
mod engine_v3;
#[path = "server/fronts.rs"]
mod fronts;
#[path = "server/handlers.rs"]
mod handlers;
#[path = "server/handshake.rs"]
mod handshake;
#[path = "server/hooks.rs"]
mod hooks;
#[cfg(feature = "http2")]
#[path = "server/http2.rs"]
mod http2;
#[path = "server/jsonp.rs"]
mod jsonp;
#[path = "server/layer.rs"]
mod layer;
#[path = "server/limits.rs"]
mod limits;
#[path = "server/msgpack.rs"]
mod msgpack;
#[path = "server/namespaces.rs"]
mod namespaces;
#[path = "server/polling.rs"]
mod polling;
#[path = "server/raw.rs"]
mod raw;
#[path = "server/recovery.rs"]
mod recovery;
#[path = "server/remote.rs"]
mod remote;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/rooms.rs"]
mod rooms;
#[path = "server/streams.rs"]
mod streams;
#[path = "server/unordered.rs"]
mod unordered;
#[path = "server/upgrade.rs"]
mod upgrade;
#[path = "server/websocket.rs"]
mod websocket;

use encke_server::{Server, ServerBuilder};

/// `echo` is acknowledged with its own arguments, `chat` goes to everybody else.
fn echo() -> ServerBuilder {
    Server::builder().namespace("/", |on| {
        on.on_named("echo", |_socket, args, ack| ack.send(&args).expect("as it came"));
        on.on_named("chat", |socket, args, _ack| {
            socket.broadcast().emit_named("chat", &args);
        });
    })
}
