//! The load driver as a program: every mode against our server, and what it says of servers that do not do what they should.

mod chat;
mod faults;
mod modes;

use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Command, Output};

use axum::Router;
use encke_server::{Handlers, Origins, Server};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A server of these events, for as long as it is kept.
struct Served {
    address: SocketAddr,
    _runtime: Runtime,
}

fn serve(events: impl FnOnce(&mut Handlers)) -> Served {
    serve_beside(Router::new(), events)
}

/// The same beside routes of one's own.
fn serve_beside(routes: Router, events: impl FnOnce(&mut Handlers)) -> Served {
    let runtime = Runtime::new().expect("a runtime can be made");
    let server = Server::builder().origins(Origins::Any).namespace("/", events).build();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("there is a free port");
    let address = listener.local_addr().expect("it listens");
    runtime.spawn(async move { axum::serve(listener, server.router().merge(routes)).await });
    Served { address, _runtime: runtime }
}

/// Puts the server at that address under a load.
fn load(address: SocketAddr, arguments: &[&str]) -> Output {
    let url = format!("http://{address}/socket.io/");
    let mut command = Command::new(env!("CARGO_BIN_EXE_encke-load"));
    command.args(arguments).args(["--url", &url]).output().expect("it starts")
}

/// The same, and what it says as JSON.
fn report(address: SocketAddr, arguments: &[&str]) -> Value {
    let output = load(address, &[arguments, &["--json"]].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    serde_json::from_slice(&output.stdout).expect("it is one object")
}
