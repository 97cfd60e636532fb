//! Other people's implementations that ours is tested against: from npm, PyPI and the Rust registry, at pinned versions.
//!
//! Owns the folders that they are installed into; what is Rust is built beside all else. Must not start them: the tests do.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{npm, program};

/// Debian's own, which `python3-venv` belongs to: another Python may come first in the path.
const SYSTEM_PYTHON: &str = "/usr/bin/python3";

/// The package that tries the client from the Rust registry.
pub const RUST_PEER: &str = "tests/peers/rust_socketio/Cargo.toml";

/// Installs the peers, unless exactly these are there.
///
/// # Errors
/// When npm, Python or the network is missing.
pub fn install(layout: &Layout) -> Result<()> {
    npm::install(&layout.source("tests/peers"), &layout.test_environment().join("peers"))?;
    install_python(layout)?;
    // Not of the workspace: a package with a lock file of its own.
    program::run(layout.cargo().args(["build", "--locked", "--manifest-path", RUST_PEER]))
}

/// Where Node finds the peers' packages.
pub fn node_modules(layout: &Layout) -> PathBuf {
    layout.test_environment().join("peers/node_modules")
}

/// The program that tries the client from the Rust registry.
pub fn rust(layout: &Layout) -> PathBuf {
    layout.program("rust-socketio-peer")
}

/// The Python that finds the peers' packages.
pub fn python(layout: &Layout) -> PathBuf {
    venv(layout).join("bin/python")
}

fn venv(layout: &Layout) -> PathBuf {
    layout.test_environment().join("venv")
}

fn install_python(layout: &Layout) -> Result<()> {
    let requirements = layout.source("tests/peers/requirements.txt");
    let wanted =
        fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // Written last: it says that everything in it is installed.
    let installed = venv(layout).join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    program::run(Command::new(SYSTEM_PYTHON).args(["-m", "venv", "--clear"]).arg(venv(layout)))?;
    let options =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"];
    program::download(Command::new(python(layout)).args(options).arg(&requirements), "PyPI")?;
    fs::write(&installed, wanted).with_context(|| format!("cannot write {}", installed.display()))
}
