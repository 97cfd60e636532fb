//! WebSocket libraries as peers, each a small program in `peers/`.

use crate::PEER;
use encke_tests::program::{GUARD, Program};
use tokio::process::Command;

/// Runs a program of `peers/` against a server; it exits with success when all it expected came true.
async fn agrees(interpreter: &str, script: &str) {
    let server = Program::start(PEER, &["--listen", "127.0.0.1:0"]).await;
    meets(interpreter, script, server.url()).await;
}

/// As [`agrees`], with a server that compresses what it may, which the program is told.
async fn agrees_compressed(interpreter: &str, script: &str) {
    let server = Program::start(PEER, &["--listen", "127.0.0.1:0", "--compress"]).await;
    meets_with(interpreter, script, &[server.url(), "compressed"]).await;
}

/// As [`agrees`], with a server of the test's own.
pub(crate) async fn meets(interpreter: &str, script: &str, url: &str) {
    meets_with(interpreter, script, &[url]).await;
}

async fn meets_with(interpreter: &str, script: &str, arguments: &[&str]) {
    let mut command = Command::new(interpreter);
    command.arg(format!("{}/peers/{script}", env!("CARGO_MANIFEST_DIR"))).args(arguments).kill_on_drop(true);
    if let Ok(modules) = std::env::var("ENCKE_PEERS") {
        command.env("NODE_PATH", modules);
    }
    let output = tokio::time::timeout(2 * GUARD, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{script} does not end")).expect("the interpreter starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {}\n{out}{err}", output.status);
}

fn python() -> String {
    std::env::var("ENCKE_PYTHON").expect("ENCKE_PYTHON is set by `cargo xtask test`")
}

#[tokio::test]
async fn ws_from_npm_agrees_on_framing() {
    agrees("node", "ws.cjs").await;
}

#[tokio::test]
async fn websockets_from_pypi_agrees_on_framing() {
    agrees(&python(), "websockets_peer.py").await;
}

#[tokio::test]
async fn ws_from_npm_agrees_on_compression() {
    agrees_compressed("node", "ws.cjs").await;
}

#[tokio::test]
async fn websockets_from_pypi_agrees_on_compression() {
    agrees_compressed(&python(), "websockets_peer.py").await;
}
