//! Measuring a row: every contestant once, then every one a second time, and so on.
//!
//! In turn, since machines are faster at one hour than at another: what is compared was measured at the same time. Owns
//! the order, and the repeating of runs that something else disturbed. Must not print.

use std::time::Instant;

use anyhow::Result;

use crate::contestant::Contestant;
use crate::driver::{self, Report};
use crate::machine::Machine;
use crate::process::Cores;
use crate::results::{Cell, Measured};
use crate::row::{Figure, Row};

/// A run during which others, on this machine or on its host, took more than this, in percent of one core, is repeated …
const OTHERS_LIMIT: f64 = 8.0;

/// … at most so often …
pub const REPEATS: u32 = 2;

/// … and of all runs of a row no more than one in so many, so that a busy machine takes hardly longer …
const REPEATED: usize = 8;

/// … but for rows of few runs.
const LEAST_REPEATED: usize = 3;

/// What is asked for beside the rows' own table.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Choice {
    /// Without the peers.
    pub ours: bool,
    /// How often each is measured, in place of the row's own.
    pub runs: Option<usize>,
    /// How many seconds are measured, in place of the row's own.
    pub seconds: Option<f64>,
}

impl Choice {
    pub fn contestants(&self, row: &Row) -> Vec<Contestant> {
        row.contestants.iter().copied().filter(|one| one.is_ours() || !self.ours).collect()
    }

    pub fn runs(&self, row: &Row) -> usize {
        self.runs.unwrap_or(row.runs)
    }
}

/// What measures: the machine, and the cores for server and driver.
pub struct Bench {
    pub machine: Machine,
    pub cores: Cores,
    pub command: String,
}

impl Bench {
    /// Tries whether everybody who takes part does what is measured: who leaves something out is quick.
    ///
    /// # Errors
    /// When somebody does not.
    pub fn check(&self, rows: &[&Row], choice: &Choice) -> Result<()> {
        let takes_part = |one: &Contestant| rows.iter().any(|row| choice.contestants(row).contains(one));
        Contestant::EACH.into_iter().filter(takes_part).try_for_each(|one| driver::check(one, self.cores))
    }

    /// Measures a row and tells `watch` before each run which one it is.
    pub fn row(&self, row: &Row, choice: &Choice, mut watch: impl FnMut(usize, Contestant)) -> Measured {
        let started = Instant::now();
        let load = |contestant| {
            let length = row.length.with_seconds(choice.seconds).arguments(contestant);
            row.load.split(' ').map(str::to_owned).chain(length).collect::<Vec<_>>()
        };
        let mut cells: Vec<_> = choice.contestants(row).into_iter().map(Cell::new).collect();
        let mut repeats = (cells.len() * choice.runs(row) / REPEATED).max(LEAST_REPEATED) as u32;
        for run in 0..choice.runs(row) {
            for number in in_turn(cells.len(), run) {
                let cell = &mut cells[number];
                let contestant = cell.contestant;
                // Who has failed once would take the time of the others: what waits for it does so for minutes.
                if cell.failure.is_none() {
                    watch(run, contestant);
                    let run = || driver::run(contestant, &load(contestant), self.cores);
                    note(cell, row.figures, &mut repeats, run);
                }
            }
        }
        let took = started.elapsed().as_secs_f64();
        let (machine, command) = (self.machine.clone(), self.command.clone());
        Measured { row: row.name.to_string(), machine, command, took, cells }
    }
}

/// The order of a run: each time another one begins, since what runs before may leave its mark on what runs next.
fn in_turn(count: usize, run: usize) -> impl Iterator<Item = usize> {
    (0..count).map(move |number| (number + run) % count)
}

/// Runs once, and again while it is disturbed and may be repeated; `left` is how many repeats others leave. The last run's
/// values count; what went wrong counts in each.
pub fn note(cell: &mut Cell, figures: &[Figure], left: &mut u32, mut run: impl FnMut() -> Result<Report>) {
    let until = left.saturating_sub(REPEATS);
    loop {
        let report = match run() {
            Ok(report) => report,
            Err(error) => return cell.failure = Some(format!("{error:#}")),
        };
        let faults = match report.faults() {
            Ok(faults) => faults,
            Err(error) => return cell.failure = Some(error.to_string()),
        };
        for (words, count) in faults {
            *cell.faults.entry(words).or_default() += count;
        }
        cell.first_error = cell.first_error.take().or_else(|| report.first_error());
        let disturbed = report.others() > OTHERS_LIMIT;
        if disturbed && *left > until {
            *left -= 1;
            continue;
        }
        cell.disturbed += u32::from(disturbed);
        cell.limited += u32::from(report.driver_was_the_limit());
        if let Err(error) = take(cell, figures, &report) {
            cell.failure = Some(error.to_string());
        }
        return;
    }
}

/// All figures or none: a run without one of them is no run.
fn take(cell: &mut Cell, figures: &[Figure], report: &Report) -> Result<()> {
    let values = figures.iter().map(|figure| report.number(figure.key)).collect::<Result<Vec<_>>>()?;
    for (figure, value) in figures.iter().zip(values) {
        cell.values.entry(figure.key.to_owned()).or_default().push(value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;
    use crate::row::{Better, Unit};

    const FIGURES: [Figure; 1] =
        [Figure { key: "rate", name: "rate", unit: Unit::PerSecond, better: Better::Larger, goal: None }];

    /// What is noted when the runs of one turn end so, and how many there were.
    fn noted(reports: &[Option<&str>]) -> (Cell, usize) {
        let (mut cell, mut runs) = (Cell::new(Contestant::Encke), 0);
        let mut left = 5;
        note(&mut cell, &FIGURES, &mut left, || {
            runs += 1;
            match reports[runs - 1] {
                Some(text) => Report::from_json(text),
                None => bail!("broken"),
            }
        });
        (cell, runs)
    }

    #[test]
    fn a_quiet_run_counts_at_once() {
        let (cell, runs) = noted(&[Some(r#"{"rate":5,"other_cpu_pct":8,"faults":[]}"#)]);
        assert_eq!((cell.values["rate"].as_slice(), cell.disturbed, runs), (&[5.0][..], 0, 1));
    }

    #[test]
    fn a_disturbed_run_is_repeated_and_its_values_are_forgotten_but_not_what_went_wrong() {
        let loud = Some(r#"{"rate":5,"other_cpu_pct":9,"faults":["1 lost"],"first_error":"cut"}"#);
        let (cell, runs) = noted(&[loud, Some(r#"{"rate":6,"other_cpu_pct":1,"faults":[]}"#)]);
        assert_eq!((cell.values["rate"].as_slice(), cell.disturbed, runs), (&[6.0][..], 0, 2));
        assert_eq!(cell.remarks(), "1 lost, the first error: cut");
    }

    #[test]
    fn a_run_that_is_disturbed_again_and_again_counts_and_is_marked() {
        let loud = Some(r#"{"rate":5,"other_cpu_pct":5,"steal_pct":4,"faults":[]}"#);
        let (cell, runs) = noted(&[loud, loud, Some(r#"{"rate":7,"other_cpu_pct":9,"faults":[]}"#)]);
        assert_eq!((cell.values["rate"].as_slice(), cell.disturbed, runs), (&[7.0][..], 1, 3));
    }

    #[test]
    fn when_no_repeats_are_left_a_disturbed_run_counts_at_once() {
        let (mut cell, mut runs, mut left) = (Cell::new(Contestant::Encke), 0, 1);
        for _ in 0..2 {
            note(&mut cell, &FIGURES, &mut left, || {
                runs += 1;
                Report::from_json(r#"{"rate":5,"other_cpu_pct":9,"faults":[]}"#)
            });
        }
        assert_eq!((cell.disturbed, runs, left), (2, 3, 0));
    }

    #[test]
    fn each_run_begins_with_another_and_leaves_nobody_out() {
        let order = |run| in_turn(3, run).collect::<Vec<_>>();
        assert_eq!([order(0), order(1), order(2), order(3)], [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
    }

    #[test]
    fn a_run_that_fails_has_a_reason_and_no_value() {
        let (cell, runs) = noted(&[None]);
        assert_eq!((cell.failure.as_deref(), cell.values.len(), runs), (Some("broken"), 0, 1));
        let (cell, _) = noted(&[Some(r#"{"rat":5,"faults":[]}"#)]);
        assert_eq!(cell.failure.as_deref(), Some("the driver's report has no number `rate`"));
    }
}
