//! The chat in real browsers, end to end: page, client, server.

mod chat;
mod page;
mod plain;
mod restart;

use encke_tests::program::Program;

fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `cargo xtask test` sets it"))
}

/// The program as a person starts it, with the built page.
pub(crate) async fn encke(listen: &str) -> Program {
    let (program, page) = (from_environment("ENCKE_BIN"), from_environment("ENCKE_PAGE"));
    Program::start(&program, &["serve", "--listen", listen, "--web", &page]).await
}
