//! Our server as it is measured: `encke-bench-server PORT`, with the events that every server under test answers.
//!
//! | event | from the client | the server |
//! |---|---|---|
//! | `chat` | `"chat", text` | sends it to everybody else |
//! | `echo` | `"echo", text`, with an ack | acknowledges it with the same |
//! | `join` | `"join", room`, with an ack | puts the socket into the room, then acknowledges without arguments |
//! | `room` | `"room", room, text` | sends `"room", text` to everybody else in that room |
//! | `bytes` | `"bytes", bytes` | sends it to everybody else |

use clap::Parser;
use encke_server::{Args, Handlers, Origins, Recovery, Refusal, Server, Socket};
use std::error::Error;
use std::num::NonZero;
use tokio::net::TcpSocket;
use tokio::runtime;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 4096;

/// Our server, with the events that are measured.
#[derive(Parser)]
struct Options {
    /// Where it listens, on this machine alone.
    port: u16,
    /// How many threads a scheduler shares the work between. Without this there is one thread and no scheduler.
    #[arg(long)]
    workers: Option<NonZero<usize>>,
    /// What requests come through.
    #[arg(long, value_enum, default_value = "listener")]
    route: Route,
    /// Whether clients that lose their connection may come back to what they missed.
    #[arg(long)]
    recovery: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Route {
    /// The server's own listener.
    Listener,
    /// A route of axum, behind tokio's listener.
    Axum,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut builder = match options.workers {
        None => runtime::Builder::new_current_thread(),
        Some(_) => runtime::Builder::new_multi_thread(),
    };
    if let Some(workers) = options.workers {
        builder.worker_threads(workers.get());
    }
    builder.enable_all().build()?.block_on(serve(options))
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let mut builder = Server::builder().origins(Origins::Any).namespace("/", events);
    if options.recovery {
        builder = builder.recovery(Recovery::default());
    }
    let server = builder.build();
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], options.port).into())?;
    let listener = socket.listen(BACKLOG)?;
    println!("listening on http://{}", listener.local_addr()?);
    match options.route {
        Route::Listener => axum::serve(server.listener(listener), server.router()).await?,
        Route::Axum => {
            // Answers are small; without this each would wait for the one before it to be confirmed.
            let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
                let _ = stream.set_nodelay(true);
            });
            // Made once, and not for each connection.
            axum::serve(listener, server.router().into_make_service()).await?;
        }
    }
    Ok(())
}

fn events(on: &mut Handlers) {
    on.on_named("chat", |socket, args, _ack| {
        socket.broadcast().emit_named("chat", &args);
    });
    on.on_named("bytes", |socket, args, _ack| {
        socket.broadcast().emit_named("bytes", &args);
    });
    on.on_named("echo", |_socket, args, ack| {
        if let Err(error) = ack.send(&args) {
            eprintln!("not answered: {error}");
        }
    });
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
