//! One sitting: rows are planned, measured, said as they are done, and kept.
//!
//! Owns the order of that, for rows of any kind, and what a command line may ask for. What becomes of the values is its
//! caller's.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Args;

use crate::machine::Machine;
use crate::measure::{Bench, Choice};
use crate::process::{self, Cores};
use crate::report;
use crate::results::{Measured, Results};
use crate::row::Row;

#[derive(Args)]
pub struct Asked {
    /// What to measure, or what the names begin with; all unless given
    pub names: Vec<String>,
    /// Without the peers
    #[arg(long)]
    ours: bool,
    /// How often each is measured, in place of the row's own
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Seconds that each run measures, in place of the row's own
    #[arg(long, value_parser = seconds)]
    secs: Option<f64>,
    /// Keeps the values in bench/docs and writes the page of them
    #[arg(long, conflicts_with = "ours")]
    write: bool,
    /// Says what would be measured and how long that takes, and measures nothing
    #[arg(long)]
    plan: bool,
}

/// A length that one run may have.
pub fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds @ 0.1..=3600.0) => Ok(seconds),
        _ => Err("is no number of seconds from 0.1 to 3600".to_owned()),
    }
}

/// Measures the rows. If a page is asked for, `write` makes it of what is known of all rows: of these, and of what `kept` holds of
/// earlier times, which is also where they are kept.
///
/// # Errors
/// When nothing can be measured here, or a page cannot be written; and, after all is measured and written, when ours has failed
/// or lost something.
pub fn measure(rows: &[&Row], asked: &Asked, kept: &Path, write: fn(&Results) -> Result<()>) -> Result<()> {
    let choice = Choice { ours: asked.ours, runs: asked.runs.map(usize::from), seconds: asked.secs };
    print!("{}", report::plan(rows, &choice));
    if asked.plan {
        return Ok(());
    }
    let machine = Machine::now(!asked.ours)?;
    let mut results = Results::default();
    if asked.write {
        results = earlier(Results::read(kept)?, &asked.names, &machine)?;
    }
    process::allow_many_files()?;
    let bench = Bench { machine, cores: Cores::of_this_machine()?, command: command() };
    if !asked.ours {
        bench.check(rows, &choice)?;
        println!("All keep to the contract.\n");
    }
    let started = Instant::now();
    let mut failed = Vec::new();
    for row in rows {
        let measured = measured(&bench, row, &choice);
        print!("{}", report::row(row, &measured));
        let unsound = measured.cells.iter().filter(|cell| cell.contestant.is_ours() && !cell.is_sound());
        failed
            .extend(unsound.map(|cell| {
                format!("{}: {}: {}", row.name, cell.contestant.setting().title, cell.remarks())
            }));
        results.put(measured);
        if asked.write {
            results.write(kept)?;
        }
    }
    println!("\n{}\nIt took {}.", report::table(rows, &results), report::minutes(started.elapsed()));
    if asked.write {
        write(&results)?;
    }
    ensure!(failed.is_empty(), "something went wrong with ours in\n  {}", failed.join("\n  "));
    Ok(())
}

/// What is kept, unless all of it is to be measured anew on another machine or with other versions.
fn earlier(results: Results, names: &[String], machine: &Machine) -> Result<Results> {
    if results.measured.iter().all(|row| row.machine.is_like(machine)) {
        return Ok(results);
    }
    ensure!(
        names.is_empty(),
        "what is kept was measured on another machine or with other versions: measure all of it"
    );
    Ok(Results::default())
}

/// Measures a row, and says on a terminal how far it is.
fn measured(bench: &Bench, row: &Row, choice: &Choice) -> Measured {
    let runs = choice.runs(row);
    let measured = bench.row(row, choice, |run, contestant| {
        say(&format!("{}: run {} of {runs}, {}", row.name, run + 1, contestant.setting().title));
    });
    say("");
    measured
}

/// Says on a terminal how far it is, in place of what was said before.
pub fn say(text: &str) {
    let mut terminal = std::io::stderr();
    if terminal.is_terminal() {
        // Nobody minds when this is not shown.
        let _ = write!(terminal, "\r\x1b[K{text}");
    }
}

/// What one types to do this again.
pub fn command() -> String {
    let arguments = std::env::args().skip(1);
    arguments.fold("cargo xtask bench".to_owned(), |text, argument| format!("{text} {argument}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_two_machines_or_versions_never_stand_together() {
        let here = Machine { kernel: "6.18".to_owned(), ..Machine::default() };
        let row = Measured {
            row: "row".to_owned(),
            machine: Machine { commit: "another".to_owned(), ..here.clone() },
            command: String::new(),
            took: 1.0,
            cells: Vec::new(),
        };
        let kept = |kernel: &str| {
            let machine = Machine { kernel: kernel.to_owned(), ..row.machine.clone() };
            Results { measured: vec![Measured { machine, ..row.clone() }] }
        };
        let some = ["row".to_owned()];
        assert_eq!(earlier(kept("6.18"), &some, &here).expect("is the same").measured.len(), 1);
        assert_eq!(earlier(kept("5.10"), &[], &here).expect("all is measured anew").measured.len(), 0);
        assert!(earlier(kept("5.10"), &some, &here).is_err());
        let newer = Machine { versions: [("node".to_owned(), "v99".to_owned())].into(), ..here };
        assert!(earlier(kept("6.18"), &some, &newer).is_err());
    }

    #[test]
    fn seconds_are_a_number_that_makes_sense() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        for text in ["0", "-1", "NaN", "inf", "x", "3601"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
