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

/// The program that this becomes …
const BENCH: &str = "encke-bench";
/// … and those of its package that take part.
const PROGRAMS: [&str; 6] = ["--bin", BENCH, "--bin", "encke-bench-server", "--bin", "encke-load"];

/// What of the bench puts its load on the chat …
const TECHNIQUES: &str = "techniques";
/// … which is another package's program.
const CHAT: [&str; 6] = ["--package", "encke-server", "--features", "encke", "--bin", "encke"];

/// With one of these the bench measures nothing.
const ASKING: [&str; 5] = ["--plan", "--help", "-h", "list", "pages"];

/// With one of these it measures no peer.
const WITHOUT_PEERS: [&str; 2] = ["--ours", TECHNIQUES];

/// Runs the bench with `arguments`. Comes back only when something fails.
///
/// # Errors
/// When something cannot be installed, does not build or cannot be started; what the bench itself says is its own.
pub fn run(layout: &Layout, arguments: &[OsString]) -> Result<()> {
    // What is only asked has an answer before all is built as it is measured, which takes minutes: a wrong row too.
    program::run(layout.cargo().args(["build", "--quiet", "--package", "encke-bench", "--bin", BENCH]))?;
    let mut asked = bench(layout, layout.program(BENCH), arguments);
    if has(arguments, &ASKING) {
        return Err(asked.exec()).context("cannot start the bench");
    }
    let techniques = has(arguments, &[TECHNIQUES]);
    if !techniques {
        program::run(asked.arg("--plan").stdout(Stdio::null()))?;
    }
    program::run(layout.cargo().args(["build", "--release", "--package", "encke-bench"]).args(PROGRAMS))?;
    if techniques {
        program::run(layout.cargo().args(["build", "--release"]).args(CHAT))?;
    }
    if !has(arguments, &WITHOUT_PEERS) {
        debian::install_named(&["nodejs", "npm"])?;
        peers::install(layout)?;
    }
    Err(bench(layout, layout.release(BENCH), arguments).exec()).context("cannot start the bench")
}

fn has(arguments: &[OsString], any: &[&str]) -> bool {
    arguments.iter().any(|argument| any.iter().any(|one| argument == one))
}

/// The bench, in the checkout whose pages it writes, told where the peers are.
fn bench(layout: &Layout, program: PathBuf, arguments: &[OsString]) -> Command {
    let mut command = Command::new(program);
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
    fn peers_are_installed_and_all_is_built_only_for_what_needs_it() {
        let has = |arguments: &[&str], any: &[&str]| {
            has(&arguments.iter().map(OsString::from).collect::<Vec<_>>(), any)
        };
        for measured in [&[][..], &["echo", "--runs", "1"], &["curves", "--write"]] {
            assert!(!has(measured, &ASKING) && !has(measured, &WITHOUT_PEERS), "{measured:?}");
        }
        for without in [&["echo", "--ours"][..], &["techniques", "--write"]] {
            assert!(!has(without, &ASKING) && has(without, &WITHOUT_PEERS), "{without:?}");
        }
        for asking in [&["list"][..], &["curves", "--plan"], &["--help"]] {
            assert!(has(asking, &ASKING), "{asking:?}");
        }
    }
}
