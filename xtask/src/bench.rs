//! `cargo xtask bench`: builds and installs whatever is measured, and becomes the bench.
//!
//! Owns what has to be there before. Must not know the rows: everything behind the task's name is the bench's.

mod peers;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

pub use self::peers::PACKAGES;
use crate::layout::Layout;
use crate::program;
use crate::test::debian;

/// The programs of `encke-bench` that take part.
const PROGRAMS: [&str; 6] = ["--bin", "encke-bench", "--bin", "encke-bench-server", "--bin", "encke-load"];

/// What of the bench puts its load on the chat …
const TECHNIQUES: &str = "techniques";
/// … which is a program of its own.
const CHAT: [&str; 6] = ["--package", "encke-server", "--features", "encke", "--bin", "encke"];

/// With one of these the bench measures no peer, or nothing.
const WITHOUT_PEERS: [&str; 7] = ["--ours", "--plan", "--help", "-h", "list", "pages", TECHNIQUES];

/// Runs the bench with `arguments`. Comes back only when something fails.
///
/// # Errors
/// When something cannot be installed, does not build or cannot be started; what the bench itself says is its own.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    program::run(layout.cargo().args(["build", "--release", "--package", "encke-bench"]).args(PROGRAMS))?;
    if arguments.iter().any(|argument| argument == TECHNIQUES) {
        program::run(layout.cargo().args(["build", "--release"]).args(CHAT))?;
    }
    if needs_peers(arguments) {
        // First, so that a wrong row is said before anything is installed. The plan itself will be said again.
        program::run(bench(layout, arguments).arg("--plan").stdout(Stdio::null()))?;
        ["nodejs", "npm"].into_iter().try_for_each(debian::install_one)?;
        peers::install(layout)?;
    }
    Err(bench(layout, arguments).exec()).context("cannot start the bench")
}

fn needs_peers(arguments: &[OsString]) -> bool {
    !arguments.iter().any(|argument| WITHOUT_PEERS.iter().any(|without| argument == without))
}

/// The bench, in the checkout whose pages it writes, told where the peers are.
fn bench(layout: &Layout, arguments: &[OsString]) -> Command {
    let mut command = Command::new(layout.release("encke-bench"));
    command.current_dir(layout.source("")).args(arguments).envs(environment(layout));
    command
}

fn environment(layout: &Layout) -> [(&'static str, PathBuf); 7] {
    [
        ("ENCKE_BENCH_NODE_SERVER", peers::script(layout, "node.mjs")),
        ("ENCKE_BENCH_BUN", peers::bun(layout)),
        ("ENCKE_BENCH_BUN_SERVER", peers::script(layout, "bun.mjs")),
        ("ENCKE_BENCH_SOCKETIOXIDE", peers::socketioxide(layout)),
        ("ENCKE_BENCH_SOCKETIOXIDE_MIMALLOC", peers::socketioxide_mimalloc(layout)),
        ("ENCKE_BENCH_FLOOR", peers::floor(layout)),
        ("ENCKE_BENCH_CHECK", peers::script(layout, "check.mjs")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_installed_only_for_what_measures_them() {
        let needs =
            |arguments: &[&str]| needs_peers(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(needs(&[]));
        assert!(needs(&["echo", "--runs", "1"]));
        assert!(!needs(&["echo", "--ours"]));
        assert!(!needs(&["list"]));
        assert!(!needs(&["techniques", "--write"]));
    }
}
