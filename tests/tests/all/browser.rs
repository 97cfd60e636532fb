//! The chat in real browsers, end to end: page, client, server.

mod chat;
mod page;
mod plain;
mod restart;
mod scripts;

use encke_tests::program::Program;

/// The chat with its usual settings.
async fn encke(listen: &str) -> Program {
    crate::encke(listen, &[]).await
}
