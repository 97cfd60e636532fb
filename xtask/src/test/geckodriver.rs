//! The program that steers Firefox, which Debian does not have: from the Rust registry.
//!
//! Owns the folder that it is installed into, and its version.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::layout::Layout;
use crate::program;

const VERSION: &str = "0.37.1";

/// Compiles it, unless this very version is there: that takes some two minutes, once.
///
/// # Errors
/// When it cannot be downloaded or does not compile.
pub fn install(layout: &Layout) -> Result<()> {
    let there = program::answer(Command::new(program(layout)).arg("--version"));
    if there.is_some_and(|answer| is_wanted(&answer)) {
        println!("geckodriver {VERSION} is there.");
        return Ok(());
    }
    println!("geckodriver {VERSION} is missing: steers Firefox. It takes some two minutes to compile, once.");
    let mut command = layout.cargo();
    command.args([
        "install",
        "geckodriver",
        "--version",
        VERSION,
        "--locked",
        "--quiet",
        "--force",
        "--root",
    ]);
    // What it is made of is needed for nothing else, and Cargo takes its own folder away afterwards.
    program::download(command.arg(folder(layout)).env_remove("CARGO_TARGET_DIR"), "the Rust registry")
}

/// Where it is.
pub fn program(layout: &Layout) -> PathBuf {
    folder(layout).join("bin/geckodriver")
}

fn folder(layout: &Layout) -> PathBuf {
    layout.test_environment().join("geckodriver")
}

/// Its answer begins `geckodriver 0.37.1 (…)`.
fn is_wanted(answer: &str) -> bool {
    answer.split_whitespace().nth(1) == Some(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_version_is_wanted() {
        assert!(is_wanted("geckodriver 0.37.1 (a1b2c3 2026-01-01)\n\nThe source code of this program"));
        assert!(is_wanted("geckodriver 0.37.1\n"));
        assert!(!is_wanted("geckodriver 0.37.10 (a1b2c3)"));
        assert!(!is_wanted(""));
    }
}
