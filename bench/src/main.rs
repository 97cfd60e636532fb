//! `encke-bench`: what our server costs beside its peers, measured in turn on one machine.
//!
//! Owns the command line. Server and driver are programs of their own (`bin/`), and so are the peers (`peers/`);
//! `cargo xtask bench` builds and installs them all and starts this. It must be started in the checkout's folder, and
//! knows no protocol.

mod contestant;
mod curves;
mod driver;
mod machine;
mod measure;
mod page;
mod plot;
mod process;
mod report;
mod results;
mod row;
mod rows;
mod session;
mod statistic;
mod techniques;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::results::Results;
use crate::session::Asked;
use crate::techniques::Comparison;

/// Measures our server beside its peers, in turn, each pinned to one core.
#[derive(Parser)]
#[command(
    bin_name = "cargo xtask bench",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct Options {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    rows: Asked,
}

#[derive(Subcommand)]
enum Task {
    /// Lists the rows, curves and techniques
    List,
    /// Measures how figures grow: with clients, rooms and payload
    Curves(Asked),
    /// Measures what it costs to read a chat by periodic polling, long polling and WebSocket
    Techniques(techniques::Asked),
    /// Writes the pages anew, those whose values are kept
    Pages,
}

/// Where the values are kept that the pages are written from.
const FIGURES: &str = "bench/docs/figures.json";
const CURVES: &str = "bench/docs/growth.json";

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let (figures, growth) = (Path::new(FIGURES), Path::new(CURVES));
    match &options.task {
        None => {
            let rows = rows::named(&options.rows.names)?;
            session::measure(&rows, &options.rows, figures, page::write)
        }
        Some(Task::Curves(asked)) => {
            let rows = curves::named(&asked.names)?;
            let rows: Vec<_> = rows.iter().collect();
            session::measure(&rows, asked, growth, curves::write)
        }
        Some(Task::Techniques(asked)) => techniques::run(asked),
        Some(Task::List) => {
            print!("Rows:\n{}Curves:\n{}", rows::list(), curves::list());
            print!("Techniques:\n{}", techniques::list());
            Ok(())
        }
        Some(Task::Pages) => {
            let (figures, growth) = (Results::read(figures)?, Results::read(growth)?);
            let comparison = Comparison::read(Path::new(techniques::FILE))?;
            if !figures.measured.is_empty() {
                page::write(&figures)?;
            }
            if !growth.measured.is_empty() {
                curves::write(&growth)?;
            }
            comparison.map_or(Ok(()), |comparison| techniques::page::write(&comparison))
        }
    }
}
