//! The servers that the client's browser tests talk to: the program `peer` of `encke-tests`, and the official one.
//!
//! Owns their processes from start to end. Must not know what they answer.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::peers;
use crate::layout::Layout;

/// How long the server may take to say where it listens; a guard against a hanging one.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What the server prints before its URL, on a line of its own.
const ANNOUNCEMENT: &str = "listening ";

/// A running server; dropping it ends it.
pub struct PeerServer {
    process: Child,
    url: String,
}

impl PeerServer {
    /// Starts the server, which must have been built, at a free port and waits until it listens.
    ///
    /// # Errors
    /// When it ends at once or does not say where it listens.
    pub fn start(layout: &Layout) -> Result<Self> {
        let mut command = Command::new(layout.program("peer"));
        Self::spawn(command.args(["--listen", "127.0.0.1:0"]))
    }

    /// Starts the official server, which must have been installed, likewise.
    ///
    /// # Errors
    /// As of [`PeerServer::start`].
    pub fn official(layout: &Layout) -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(layout.source("tests/peers/socket_io_server.cjs"));
        Self::spawn(command.env("NODE_PATH", peers::node_modules(layout)))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut process = command.stdout(Stdio::piped()).spawn().context("cannot start the peer server")?;
        let output = process.stdout.take().context("the child's standard output was asked for")?;
        // From here on dropping ends the process, also when it never says its URL.
        let mut server = Self { process, url: String::new() };
        server.url = announced_url(output)?;
        println!("The peer server listens at {}", server.url);
        Ok(server)
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for PeerServer {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits for the announcement, and goes on reading afterwards so that the server never waits for a full pipe.
fn announced_url(output: ChildStdout) -> Result<String> {
    let (found, wait) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
            match line.strip_prefix(ANNOUNCEMENT) {
                // Nobody waits for a second announcement.
                Some(url) => drop(found.send(url.to_owned())),
                None => println!("peer server: {line}"),
            }
        }
    });
    wait.recv_timeout(START_TIMEOUT).context("the peer server did not say where it listens")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shell(script: &str) -> Result<PeerServer> {
        PeerServer::spawn(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn the_url_is_taken_from_the_announcement_and_dropping_ends_the_process() {
        let server =
            shell("echo hello; echo listening http://127.0.0.1:7; exec tail -f /dev/null").expect("starts");
        assert_eq!(server.url(), "http://127.0.0.1:7");
        let entry = format!("/proc/{}", server.process.id());
        assert!(Path::new(&entry).exists());
        drop(server);
        assert!(!Path::new(&entry).exists());
    }

    #[test]
    fn a_server_that_ends_without_an_announcement_is_an_error() {
        let error = shell("echo sorry; exit 1").err().expect("does not start");
        assert_eq!(error.to_string(), "the peer server did not say where it listens");
    }
}
