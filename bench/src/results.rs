//! What was measured: the values of every run, and what they say together.
//!
//! Owns the file that they are kept in, from which the pages are written, and the comparison of ours with the best
//! peer. Must not measure.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::row::{Figure, Goal, Row};
use crate::statistic::Summary;

/// Everything that one page shows.
#[derive(Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct Results {
    pub measured: Vec<Measured>,
}

/// One row as it was measured at one time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub row: String,
    /// Where and of what.
    pub machine: Machine,
    /// What one types to measure it again.
    pub command: String,
    /// Seconds that it took.
    pub took: f64,
    pub cells: Vec<Cell>,
}

/// A row of one contestant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    pub contestant: Contestant,
    /// Values of all runs by the driver's key, in the order of the runs.
    pub values: BTreeMap<String, Vec<f64>>,
    /// What went wrong in all runs together, with how often; zero where that is not a matter of number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// The first of the errors among these, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    /// Runs during which something else kept the machine busy, also when they were repeated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disturbed: u32,
    /// Runs in which the driver had no time left, so that the server could have done more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub limited: u32,
    /// Why the last run that has no values has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Cell {
    /// Whether every run went as it should.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.first_error.is_none() && self.failure.is_none()
    }

    pub fn new(contestant: Contestant) -> Self {
        let (values, faults) = (BTreeMap::new(), BTreeMap::new());
        Self { contestant, values, faults, first_error: None, disturbed: 0, limited: 0, failure: None }
    }

    /// Median, smallest and largest of a figure; none when every run has failed.
    pub fn summary(&self, figure: &Figure) -> Option<Summary> {
        Summary::of(self.values.get(figure.key)?)
    }

    /// What went wrong, in words; empty when all is well.
    pub fn remarks(&self) -> String {
        let said = |(words, &count): (&String, &u64)| match count {
            0 => words.clone(),
            _ => format!("{} {words}", grouped(count)),
        };
        let mut remarks: Vec<_> = self.faults.iter().map(said).collect();
        if let Some(error) = &self.first_error {
            remarks.push(format!("the first error: {error}"));
        }
        if let Some(failure) = &self.failure {
            remarks.push(format!("failed: {failure}"));
        }
        remarks.join(", ")
    }
}

/// A whole number with a comma between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |at: usize| if at > 0 && (digits.len() - at).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(at, digit)| format!("{}{digit}", comma(at))).collect()
}

/// Ours beside the best of the peers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Comparison {
    pub best: Contestant,
    pub best_median: f64,
    /// How many times better ours is.
    pub ratio: f64,
    /// Whether the goal is reached, where there is one; never by losing or reordering something.
    pub met: Option<bool>,
}

impl Measured {
    pub fn cell(&self, contestant: Contestant) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.contestant == contestant)
    }

    /// How often it was measured: as often as who was most.
    pub fn runs(&self) -> usize {
        let values = self.cells.iter().flat_map(|cell| cell.values.values());
        values.map(Vec::len).max().unwrap_or_default()
    }

    /// What is to be said of the runs though nothing went wrong, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        notes(self.cells.iter().map(|cell| (cell.contestant.setting().title, cell)))
    }

    /// A figure of ours beside that of the best peer. A peer's counts whatever went wrong with it, as long as it has one:
    /// who loses something has less to do.
    pub fn comparison(&self, ours: Contestant, figure: &Figure, goal: Option<Goal>) -> Option<Comparison> {
        let cell = self.cell(ours)?;
        let ours = cell.summary(figure)?.median;
        let peers = self.cells.iter().filter(|cell| cell.contestant.is_peer());
        let medians = peers.filter_map(|cell| Some((cell.contestant, cell.summary(figure)?.median)));
        let (best, best_median) =
            medians.reduce(|one, other| if figure.best(one.1, other.1) == one.1 { one } else { other })?;
        let ratio = figure.ratio(ours, best_median);
        let met = goal.map(|goal| ratio >= figure.wanted_ratio(goal) && cell.is_sound());
        Some(Comparison { best, best_median, ratio, met })
    }
}

/// What is to be said of runs though nothing went wrong, a sentence each that names whose they are.
pub fn notes<'a, Name: Display>(cells: impl Iterator<Item = (Name, &'a Cell)> + Clone) -> Vec<String> {
    let who = |count: fn(&Cell) -> u32| {
        let counted = cells.clone().filter(|(_, cell)| count(cell) > 0);
        counted.map(|(name, cell)| format!("{name} {}", count(cell))).collect::<Vec<_>>().join(", ")
    };
    let disturbed = ("Runs that something else disturbed", who(|cell| cell.disturbed));
    let limited = ("Runs in which the driver was the limit, not the server", who(|cell| cell.limited));
    let said = [disturbed, limited].into_iter().filter(|(_, who)| !who.is_empty());
    said.map(|(what, who)| format!("{what}: {who}")).collect()
}

/// Writes a file, and makes its folder when that is not there.
///
/// # Errors
/// When it cannot be written: says which one.
pub fn save(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

impl Results {
    /// Those of an earlier time, or none.
    ///
    /// # Errors
    /// When the file cannot be read or is something else.
    pub fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no results", path.display()))
    }

    /// Keeps them, one row a line.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let rows: Vec<_> = self.measured.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let text = format!("{{\"measured\": [\n{}\n]}}\n", rows.join(",\n"));
        save(path, &text)
    }

    /// Puts a row in place of an earlier measurement of it.
    pub fn put(&mut self, measured: Measured) {
        self.measured.retain(|earlier| earlier.row != measured.row);
        self.measured.push(measured);
    }

    /// What is known of a row.
    pub fn of(&self, row: &Row) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.row == row.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Better, Unit};

    const FIGURE: Figure = Figure {
        key: "cpu",
        name: "CPU",
        unit: Unit::Microseconds,
        better: Better::Smaller,
        goal: Some(Goal { ours: 4.0, best_peer: 6.0 }),
    };

    fn cell(contestant: Contestant, values: &[f64]) -> Cell {
        Cell { values: BTreeMap::from([("cpu".to_owned(), values.to_vec())]), ..Cell::new(contestant) }
    }

    fn measured(cells: Vec<Cell>) -> Measured {
        let machine = Machine::default();
        Measured { row: "row".to_owned(), machine, command: "bench".to_owned(), took: 1.0, cells }
    }

    #[test]
    fn ours_is_compared_with_the_best_peer_whatever_went_wrong_with_it() {
        let mut reorders = cell(Contestant::Bun, &[7.0, 6.0, 8.0]);
        reorders.faults.insert("out of order".to_owned(), 9);
        let peers = [cell(Contestant::Node, &[11.0]), reorders, Cell::new(Contestant::Socketioxide)];
        let ours = [cell(Contestant::Encke, &[4.0]), cell(Contestant::Recovery, &[1.0])];
        let ours = ours.into_iter().chain([cell(Contestant::Floor, &[0.5])]);
        let compared =
            measured(ours.chain(peers).collect()).comparison(Contestant::Encke, &FIGURE, FIGURE.goal);
        let expected = Comparison { best: Contestant::Bun, best_median: 7.0, ratio: 1.75, met: Some(true) };
        assert_eq!(compared, Some(expected));
    }

    #[test]
    fn a_goal_is_missed_when_the_ratio_is_smaller_though_the_figure_is_reached() {
        let cells = vec![cell(Contestant::Encke, &[3.5]), cell(Contestant::Node, &[5.0])];
        assert_eq!(
            measured(cells)
                .comparison(Contestant::Encke, &FIGURE, FIGURE.goal)
                .and_then(|compared| compared.met),
            Some(false)
        );
    }

    #[test]
    fn a_goal_is_not_reached_by_who_loses_something() {
        let mut cells = vec![cell(Contestant::Encke, &[3.5]), cell(Contestant::Node, &[50.0])];
        let met = |cells: &Vec<Cell>| {
            measured(cells.clone())
                .comparison(Contestant::Encke, &FIGURE, FIGURE.goal)
                .and_then(|compared| compared.met)
        };
        assert_eq!(met(&cells), Some(true));
        cells[0].faults.insert("lost".to_owned(), 1);
        assert_eq!(met(&cells), Some(false));
    }

    #[test]
    fn without_a_peer_or_without_ours_nothing_is_compared() {
        assert_eq!(
            measured(vec![cell(Contestant::Encke, &[3.5])]).comparison(
                Contestant::Encke,
                &FIGURE,
                FIGURE.goal
            ),
            None
        );
        assert_eq!(
            measured(vec![cell(Contestant::Node, &[3.5])]).comparison(
                Contestant::Encke,
                &FIGURE,
                FIGURE.goal
            ),
            None
        );
    }

    #[test]
    fn remarks_say_what_went_wrong() {
        let mut cell = cell(Contestant::Node, &[1.0]);
        assert_eq!(cell.remarks(), "");
        cell.faults.insert("lost".to_owned(), 1_234_567);
        cell.faults.insert("nobody came".to_owned(), 0);
        cell.failure = Some("`node` ended".to_owned());
        assert_eq!(cell.remarks(), "1,234,567 lost, nobody came, failed: `node` ended");
    }

    #[test]
    fn notes_say_who_was_disturbed_and_where_the_driver_was_the_limit() {
        let mut cells = vec![cell(Contestant::Encke, &[1.0]), cell(Contestant::Node, &[1.0])];
        assert!(measured(cells.clone()).notes().is_empty());
        cells[0].limited = 3;
        cells[0].disturbed = 1;
        cells[1].disturbed = 2;
        let expected = [
            "Runs that something else disturbed: Encke 1, Node 2",
            "Runs in which the driver was the limit, not the server: Encke 3",
        ];
        assert_eq!(measured(cells).notes(), expected);
    }

    #[test]
    fn results_are_kept_and_a_row_measured_again_takes_the_earlier_ones_place() {
        let path = std::env::temp_dir().join(format!("encke-results-{}.json", std::process::id()));
        let mut results = Results::read(&path).expect("there are none");
        results.put(measured(vec![cell(Contestant::Encke, &[1.0])]));
        results.put(measured(vec![cell(Contestant::Encke, &[2.0, 0.1])]));
        results.write(&path).expect("is writable");
        assert_eq!(results.measured.len(), 1);
        assert_eq!(Results::read(&path).expect("is readable"), results);
        fs::write(&path, "{").expect("is writable");
        assert!(Results::read(&path).is_err());
        fs::remove_file(&path).expect("is ours");
    }
}
