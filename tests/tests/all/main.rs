//! The tests of the whole: one binary, a module for each kind.
//!
//! `conformance` needs nothing but this package. `peers` needs the implementations from npm and PyPI, `browser` browsers
//! and the built page, `plain` a browser of another kind: `cargo xtask test` installs those and says where they are.

mod browser;
mod conformance;
mod peers;
mod plain;

/// The server that most tests talk to: an application on `encke_server` with something for every test.
const PEER: &str = env!("CARGO_BIN_EXE_peer");
