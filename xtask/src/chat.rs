//! `cargo xtask chat`: builds the page and the server, and becomes the server.
//!
//! Owns no process: the server takes this one's place, so that Ctrl-C and SIGTERM reach it and nothing else, and its
//! exit code is the task's.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{page, program};

/// Serves the chat at `listen`. Comes back only when something fails.
///
/// # Errors
/// When something does not build or the server cannot be started; what the server itself says is its own.
pub fn run(layout: &Layout, listen: SocketAddr) -> Result<()> {
    println!("1/3 The page");
    page::build(layout)?;
    println!("2/3 The server");
    let server = ["build", "--package", "encke-server", "--features", "encke", "--bin", "encke"];
    program::run(layout.cargo().args(server))?;
    println!("3/3 The chat (Ctrl-C stops it)");
    let mut server = Command::new(layout.program("encke"));
    server.args(["serve", "--listen", &listen.to_string(), "--web"]).arg(layout.site());
    Err(server.exec()).context("cannot start the server")
}
