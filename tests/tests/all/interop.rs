//! Official and other clients against our server, feature by feature: whatever they can do must go as it goes with the
//! official server.
//!
//! [`matrix`] says which client has which feature, [`cell`] tries one: each is a test of its own, named
//! `interop::matrix::<table>::<feature>::<client>`. The clients are programs in `peers/` that judge by themselves; the server
//! is the program `interop`. `server/docs/interop.md` shows the same tables.

mod cell;
mod ledger;
mod matrix;
