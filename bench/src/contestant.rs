//! Who is measured: our server in several settings, and the peers.
//!
//! Owns what each is called, in which setting it runs and by which command it is started. Every program answers the
//! contract at the head of `bin/server.rs`. Must not start anything.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const NODE: &str = "node";

/// A server in one setting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contestant {
    /// Ours with one thread and the server's own listener: what the peers are compared with.
    Encke,
    /// Ours as a route of axum alone, on tokio's own listener.
    Axum,
    /// Ours under tokio's scheduler for several threads.
    MultiThread,
    /// Ours with connection state recovery.
    Recovery,
    Node,
    Bun,
    Socketioxide,
    /// socketioxide under tokio's scheduler for several threads.
    SocketioxideMultiThread,
    SocketioxideMimalloc,
    /// What a server costs at least: nobody's peer, since it is no server that one could use.
    Floor,
}

/// In which setting a contestant runs: what a reader of its figures has to know.
pub struct Setting {
    pub title: &'static str,
    /// What stands above a narrow column: twelve characters at most.
    pub short: &'static str,
    pub runtime: &'static str,
    /// What requests come through.
    pub route: &'static str,
    /// Whether clients may come back to what they missed.
    pub recovery: &'static str,
}

impl Contestant {
    pub const EACH: [Self; 10] = [
        Self::Encke,
        Self::Axum,
        Self::MultiThread,
        Self::Recovery,
        Self::Node,
        Self::Bun,
        Self::Socketioxide,
        Self::SocketioxideMultiThread,
        Self::SocketioxideMimalloc,
        Self::Floor,
    ];

    /// Whether it is ours, in whichever setting.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Encke | Self::Axum | Self::MultiThread | Self::Recovery)
    }

    /// Whether ours is compared with it.
    pub fn is_peer(self) -> bool {
        !self.is_ours() && self != Self::Floor
    }

    /// The one transport that it speaks, if it does not speak both.
    pub fn only_transport(self) -> Option<&'static str> {
        (self == Self::Floor).then_some("websocket")
    }

    pub fn setting(self) -> Setting {
        const ONE: &str = "tokio, current_thread";
        const WORKER: &str = "tokio, multi_thread, one worker";
        let ours = |title, short| {
            let (route, recovery) = ("Server::listener", "off");
            Setting { title, short, runtime: ONE, route, recovery }
        };
        let peer = |title, short, runtime, route| Setting { title, short, runtime, route, recovery: "off" };
        match self {
            Self::Encke => ours("Encke", "Encke"),
            Self::Axum => {
                Setting { route: "axum, on tokio's TcpListener", ..ours("Encke, axum route", "axum route") }
            }
            Self::MultiThread => Setting { runtime: WORKER, ..ours("Encke, multi_thread", "multi_thread") },
            Self::Recovery => Setting { recovery: "on", ..ours("Encke, recovery", "+ recovery") },
            Self::Node => peer("Node", "Node", "Node", "socket.io on http"),
            Self::Bun => peer("Bun", "Bun", "Bun", "socket.io on @socket.io/bun-engine"),
            Self::Socketioxide => peer("socketioxide", "socketioxide", ONE, "axum"),
            Self::SocketioxideMultiThread => peer("socketioxide, multi_thread", "+ worker", WORKER, "axum"),
            Self::SocketioxideMimalloc => peer("socketioxide + mimalloc", "+ mimalloc", ONE, "axum"),
            Self::Floor => {
                Setting { recovery: "none", ..peer("the floor", "floor", "none, one epoll", "nothing") }
            }
        }
    }

    /// Seconds of load before anything is measured. Node and Bun compile while they run: what they do often gets cheaper for
    /// some seconds, by a third and more.
    pub fn warm_up(self) -> f64 {
        if matches!(self, Self::Node | Self::Bun) { 2.5 } else { 0.5 }
    }

    /// The command that starts it at `port`.
    ///
    /// # Errors
    /// When nobody says where a peer's program is, or ours does not lie beside this program.
    pub fn command(self, port: u16) -> Result<Command> {
        let mut command = match self {
            Self::Encke | Self::Axum | Self::MultiThread | Self::Recovery => {
                Command::new(beside_this_program("encke-bench-server")?)
            }
            Self::Node => script(NODE.into(), "ENCKE_BENCH_NODE_SERVER")?,
            Self::Bun => script(place("ENCKE_BENCH_BUN")?, "ENCKE_BENCH_BUN_SERVER")?,
            Self::Socketioxide | Self::SocketioxideMultiThread => {
                Command::new(place("ENCKE_BENCH_SOCKETIOXIDE")?)
            }
            Self::SocketioxideMimalloc => Command::new(place("ENCKE_BENCH_SOCKETIOXIDE_MIMALLOC")?),
            Self::Floor => Command::new(place("ENCKE_BENCH_FLOOR")?),
        };
        command.arg(port.to_string());
        command.args(match self {
            Self::Axum => &["--route", "axum"][..],
            Self::MultiThread | Self::SocketioxideMultiThread => &["--workers", "1"],
            Self::Recovery => &["--recovery"],
            _ => &[],
        });
        Ok(command)
    }
}

/// A program of the same build.
///
/// # Errors
/// When it is not there: says what builds it.
pub fn beside_this_program(name: &str) -> Result<PathBuf> {
    let this = env::current_exe().context("cannot tell where this program lies")?;
    let path = this.with_file_name(name);
    if path.is_file() {
        return Ok(path);
    }
    anyhow::bail!(
        "{} is missing; type `cargo xtask bench` and what is to be measured, which builds what that needs",
        path.display()
    )
}

/// The program that tries whether the server at an address keeps to the contract.
///
/// # Errors
/// When nobody says where it is.
pub fn check() -> Result<Command> {
    script(NODE.into(), "ENCKE_BENCH_CHECK")
}

fn script(program: PathBuf, variable: &str) -> Result<Command> {
    let mut command = Command::new(program);
    // Some libraries do less for those who use them in earnest.
    command.arg(place(variable)?).env("NODE_ENV", "production");
    Ok(command)
}

/// Where something of a peer's is, as `cargo xtask bench` says.
fn place(variable: &str) -> Result<PathBuf> {
    let path = PathBuf::from(env::var_os(variable).with_context(|| {
        format!("{variable} is not set: `cargo xtask bench` installs the peers and says where they are")
    })?);
    // Without its folder: what fails is said on a page that others read.
    let name = path.file_name().unwrap_or_default().display();
    anyhow::ensure!(path.is_file(), "{name} is not where {variable} says: `cargo xtask bench` installs it");
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_contestant_has_a_column_of_its_own() {
        for (number, one) in Contestant::EACH.iter().enumerate() {
            assert!(one.setting().short.len() <= 12);
            for other in &Contestant::EACH[number + 1..] {
                assert_ne!(one.setting().title, other.setting().title);
                assert_ne!(one.setting().short, other.setting().short);
            }
        }
    }

    #[test]
    fn a_missing_program_is_an_error_that_says_what_to_type() {
        let error = beside_this_program("no-such-program").expect_err("is missing").to_string();
        assert!(error.contains("type `cargo xtask bench`"), "{error}");
        let error = place("ENCKE_BENCH_NO_SUCH").expect_err("is not set").to_string();
        assert!(error.contains("`cargo xtask bench` installs the peers"), "{error}");
    }
}
