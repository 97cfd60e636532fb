//! The servers that ours is measured beside: other people's at pinned versions, from npm with Bun itself and from the Rust
//! registry; and the floor, a server of our own that does nothing beside.
//!
//! Owns the folder that the ones from npm are installed into, and the names of all their programs. Must not start them:
//! the bench does.

use std::env::consts::ARCH;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{npm, program};

const SOURCE: &str = "bench/peers";
/// What runs in Node and Bun: copied beside the packages that it imports.
const SCRIPTS: [&str; 4] = ["bun.mjs", "check.mjs", "contract.mjs", "node.mjs"];

/// The package with socketioxide, in the forms of its two allocators.
const SOCKETIOXIDE: &str = "bench/peers/socketioxide/Cargo.toml";
/// The package with what such a server costs at least.
const FLOOR: &str = "bench/peers/floor/Cargo.toml";

/// Not of the workspace: packages with lock files of their own.
pub const PACKAGES: [&str; 2] = [SOCKETIOXIDE, FLOOR];

/// Installs and builds the peers, unless exactly these are there.
///
/// # Errors
/// When npm, Rust's registry or the network is missing.
pub fn install(layout: &Layout) -> Result<()> {
    let (source, folder) = (layout.source(SOURCE), layout.bench_peers());
    npm::install(&source, &folder)?;
    for name in SCRIPTS {
        fs::copy(source.join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    PACKAGES.into_iter().try_for_each(|package| {
        program::run(layout.cargo().args(["build", "--release", "--locked", "--manifest-path", package]))
    })
}

/// A script of [`SCRIPTS`], where it finds its packages.
pub fn script(layout: &Layout, name: &str) -> PathBuf {
    layout.bench_peers().join(name)
}

/// Bun's program. The package `bun` would copy it from here to its own place with a program that runs when it is
/// installed, and ours run none.
pub fn bun(layout: &Layout) -> PathBuf {
    let architecture = if ARCH == "x86_64" { "x64" } else { ARCH };
    layout.bench_peers().join(format!("node_modules/@oven/bun-linux-{architecture}/bin/bun"))
}

/// socketioxide with the allocator of the system.
pub fn socketioxide(layout: &Layout) -> PathBuf {
    layout.release("socketioxide-peer")
}

/// socketioxide with mimalloc.
pub fn socketioxide_mimalloc(layout: &Layout) -> PathBuf {
    layout.release("socketioxide-mimalloc-peer")
}

/// What a server of these events costs at least.
pub fn floor(layout: &Layout) -> PathBuf {
    layout.release("floor-peer")
}
