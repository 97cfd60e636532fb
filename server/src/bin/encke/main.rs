//! `encke`: the chat as a program. Reads the command line and says what went wrong; everything else is in the modules.

mod page;
mod plain;
mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A chat over Socket.IO, in Rust from end to end.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the chat and its page.
    Serve(serve::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command: Command::Serve(arguments) } = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing_subscriber::filter::LevelFilter::INFO.into())
        .from_env_lossy();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match serve::run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("encke: {error}");
            ExitCode::FAILURE
        }
    }
}
