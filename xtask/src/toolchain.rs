//! What rustup must have installed: the wasm target, and for the tests the formatter and the linter.
//!
//! `rust-toolchain.toml` names some of it, but whether rustup installs what a file names depends on how it is set up,
//! so each is asked for by its own command. Must not choose toolchains: the one that runs this program is used.

use std::process::Command;

use anyhow::{Result, bail};

use crate::layout::WASM_TARGET;
use crate::program;

/// Makes sure that code can be compiled for the browser.
///
/// # Errors
/// When the target is missing and rustup is, too, or cannot download it.
pub fn ensure_wasm_target() -> Result<()> {
    ensure("target", &[WASM_TARGET])
}

/// Makes sure that `cargo fmt` and `cargo clippy` work.
///
/// # Errors
/// As [`ensure_wasm_target`].
pub fn ensure_components() -> Result<()> {
    ensure("component", &["rustfmt", "clippy"])
}

/// `kind` is rustup's word: `target` or `component`.
fn ensure(kind: &str, names: &[&str]) -> Result<()> {
    let Some(installed) = program::answer(Command::new("rustup").args([kind, "list", "--installed"])) else {
        bail!("rustup is needed to install the {kind} {}; see https://rustup.rs", names.join(", "));
    };
    let missing = missing(names, &installed);
    if missing.is_empty() {
        return Ok(());
    }
    program::download(Command::new("rustup").args([kind, "add"]).args(missing), "Rust's release server")
}

/// rustup lists one a line; components carry the host's name after a dash.
fn missing<'a>(wanted: &[&'a str], installed: &str) -> Vec<&'a str> {
    let is_installed = |name: &str| {
        installed
            .lines()
            .filter_map(|line| line.strip_prefix(name))
            .any(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    wanted.iter().copied().filter(|name| !is_installed(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustup_does_not_list_is_missing() {
        let listed =
            "cargo-x86_64-unknown-linux-gnu\nclippy-x86_64-unknown-linux-gnu\nwasm32-unknown-unknown\n";
        assert_eq!(missing(&["rustfmt", "clippy"], listed), ["rustfmt"]);
        assert!(missing(&["wasm32-unknown-unknown"], listed).is_empty());
        assert_eq!(missing(&["wasm32"], "wasm32v1-none\n"), ["wasm32"]);
    }
}
