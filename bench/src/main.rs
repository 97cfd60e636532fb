//! `encke-bench`: what our server costs beside its peers, measured in turn on one machine.
//!
//! Owns the order of things: rows are measured, said, kept and written as pages. Server and driver are programs of their
//! own (`bin/`), and so are the peers (`peers/`); `cargo xtask bench` builds and installs them all and starts this.
//! It must be started in the checkout's folder and knows no protocol.

mod contestant;
mod driver;
mod machine;
mod measure;
mod page;
mod process;
mod report;
mod results;
mod row;
mod rows;
mod statistic;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};

use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::measure::{Bench, Choice};
use crate::process::Cores;
use crate::results::{Measured, Results};
use crate::row::Row;

/// Measures our server beside its peers, in turn, each pinned to one core.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Options {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    measure: Measure,
}

#[derive(Subcommand)]
enum Task {
    /// Lists the rows
    List,
    /// Writes the pages anew from what was measured
    Page,
}

#[derive(Args)]
struct Measure {
    /// Rows, or what their names begin with; all unless given
    rows: Vec<String>,
    /// Without the peers
    #[arg(long)]
    ours: bool,
    /// How often each is measured, in place of the row's own
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Seconds that each run measures, in place of the row's own
    #[arg(long, value_parser = seconds)]
    secs: Option<f64>,
    /// Keeps what was measured, in bench/docs/figures.json, and writes the pages
    #[arg(long, conflicts_with = "ours")]
    write: bool,
    /// Says what would be measured and how long that takes, and measures nothing
    #[arg(long)]
    plan: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds @ 0.1..=3600.0) => Ok(seconds),
        _ => Err("is no number of seconds from 0.1 to 3600".to_owned()),
    }
}

/// Where values are kept that the page of results is written from.
const FIGURES: &str = "bench/docs/figures.json";

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match options.task {
        None => measure(&options.measure),
        Some(Task::List) => {
            print!("{}", rows::list());
            Ok(())
        }
        Some(Task::Page) => Results::read(Path::new(FIGURES)).and_then(|results| page::write(&results)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Measure) -> Result<()> {
    let rows = rows::named(&options.rows)?;
    let choice = Choice { ours: options.ours, runs: options.runs.map(usize::from), seconds: options.secs };
    print!("{}", report::plan(&rows, &choice));
    if options.plan {
        return Ok(());
    }
    let machine = Machine::now(!options.ours)?;
    let mut results = Results::default();
    if options.write {
        results = Results::read(Path::new(FIGURES))?;
        if !results.measured.iter().all(|row| row.machine.is_like(&machine)) {
            ensure!(options.rows.is_empty(), "{FIGURES} was measured on another machine: measure all rows");
            results = Results::default();
        }
    }
    process::allow_many_files()?;
    let bench = Bench { machine, cores: Cores::of_this_machine()?, command: command() };
    let started = Instant::now();
    if !options.ours {
        bench.check(&rows, &choice)?;
        println!("All keep to the contract.\n");
    }
    let mut failed = Vec::new();
    for row in &rows {
        let measured = measured(&bench, row, &choice);
        print!("{}", report::row(row, &measured));
        if measured.cell(Contestant::Encke).is_some_and(|ours| ours.failure.is_some()) {
            failed.push(row.name);
        }
        results.put(measured);
        if options.write {
            results.write(Path::new(FIGURES))?;
        }
    }
    println!("\n{}\nIt took {}.", report::table(&rows, &results), report::minutes(started.elapsed()));
    if options.write {
        page::write(&results)?;
    }
    ensure!(failed.is_empty(), "ours has failed in {}", failed.join(", "));
    Ok(())
}

/// Measures a row, and says on a terminal how far it is.
fn measured(bench: &Bench, row: &Row, choice: &Choice) -> Measured {
    let mut terminal = std::io::stderr();
    let shown = terminal.is_terminal();
    let measured = bench.row(row, choice, |run, contestant| {
        if shown {
            let (name, title) = (row.name, contestant.setting().title);
            // Nobody minds when this is not shown.
            let _ = write!(terminal, "\r\x1b[K{name}: run {} of {}, {title}", run + 1, choice.runs(row));
        }
    });
    if shown {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    measured
}

/// What one types to do this again.
fn command() -> String {
    std::env::args()
        .skip(1)
        .fold("cargo xtask bench".to_owned(), |text, argument| format!("{text} {argument}"))
}
