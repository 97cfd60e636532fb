//! The tests of the whole: one binary, a module for each kind.
//!
//! `conformance` and `suites` need nothing but this package. `examples`, `interop`, `peers` and `recovery` need the
//! implementations from npm, PyPI and the Rust registry, `browser` browsers and the built page, `fallback` proxies too, `plain` a
//! browser of another kind: `cargo xtask test` installs those and says where they are.

mod browser;
mod conformance;
mod examples;
mod fallback;
mod interop;
mod peers;
mod plain;
mod recovery;
mod suites;

use encke_tests::program::Program;

/// The server that most tests talk to: an application on `encke_server` with something for every test.
const PEER: &str = env!("CARGO_BIN_EXE_peer");

fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` sets it"))
}

/// The chat as a person starts it, with the built page.
async fn encke(listen: &str, options: &[&str]) -> Program {
    let (program, page) = (from_environment("ENCKE_BIN"), from_environment("ENCKE_PAGE"));
    let arguments = [&["serve", "--listen", listen, "--web", &page], options].concat();
    Program::start(&program, &arguments).await
}
