//! The official client against a server that recovers its clients, as `peers/recovery.cjs` says.

use crate::peers::meets;
use encke_server::{Recovery, Server, Socket};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Between two numbers.
const PACE: Duration = Duration::from_millis(1);

/// Numbers, each told to everybody in one of several ways.
#[derive(Default)]
struct Numbers {
    last: u64,
    /// Handles from when the clients first came.
    clients: Vec<Socket>,
    stopped: bool,
}

type Shared = Arc<Mutex<Numbers>>;

fn server(numbers: &Shared) -> Server {
    let (joins, stops) = (numbers.clone(), numbers.clone());
    Server::builder()
        .recovery(Recovery::default())
        .namespace("/", |on| {
            on.on_named("join", move |socket, _args, ack| {
                let mut numbers = joins.lock().expect("whole");
                socket.join("numbers");
                numbers.clients.push(socket.clone());
                ack.send(&(numbers.last + 1)).expect("a number");
            });
            on.on_named("stop", move |_socket, _args, ack| {
                let mut numbers = stops.lock().expect("whole");
                numbers.stopped = true;
                ack.send(&numbers.last).expect("a number");
            });
            on.on_named("put me out", |socket, _args, _ack| socket.disconnect());
        })
        .build()
}

async fn count(numbers: Shared, server: Server) {
    let namespace = server.namespace("/").expect("added");
    loop {
        tokio::time::sleep(PACE).await;
        let mut numbers = numbers.lock().expect("whole");
        if numbers.stopped {
            return;
        }
        numbers.last += 1;
        match numbers.last % 3 {
            0 => drop(namespace.everybody().emit_named("number", &numbers.last)),
            1 => drop(namespace.to(["numbers", "letters"]).emit_named("number", &numbers.last)),
            _ => {
                for client in &numbers.clients {
                    client.emit_named("number", &numbers.last).expect("writable");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_misses_nothing_however_often_it_is_cut_off() {
    let numbers = Shared::default();
    let server = server(&numbers);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let router = server.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    tokio::spawn(count(numbers, server));
    meets("node", "recovery.cjs", &url).await;
}
