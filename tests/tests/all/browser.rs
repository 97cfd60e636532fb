//! The chat in real browsers, end to end: page, client, server; and in them a client of other people.

mod chat;
mod page;
mod plain;
mod restart;
mod scripts;
mod socket_io_2;

use encke_tests::program::Program;

/// The chat with its usual settings.
async fn encke(listen: &str) -> Program {
    crate::encke(listen, &[]).await
}
