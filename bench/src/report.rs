//! What people read while they wait, and the table at the end.
//!
//! Owns the wording on the terminal. Must not measure or judge.

use std::fmt::Write;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::measure::Choice;
use crate::results::{Comparison, Measured, Results};
use crate::row::{Figure, Row, three_digits};

/// What will be measured, and about how long that takes.
pub fn plan(rows: &[&Row], choice: &Choice) -> String {
    let mut plan = String::new();
    let mut all = Duration::ZERO;
    for row in rows {
        let (runs, contestants) = (choice.runs(row), choice.contestants(row));
        let one = row.length.with_seconds(choice.seconds).estimate();
        let whole = one.mul_f64((runs * contestants.len()) as f64);
        all += whole;
        let titles: Vec<_> = contestants.iter().map(|one| one.setting().title).collect();
        let _ = writeln!(
            plan,
            "{:<21} {runs} runs each, about {:>3} s: {}",
            row.name,
            whole.as_secs(),
            titles.join("; ")
        );
    }
    let _ = writeln!(plan, "About {} in all.", minutes(all));
    plan
}

/// A duration for people.
pub fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} minutes", (seconds + 30) / 60),
    }
}

/// A row as soon as it is measured: a line for each figure, and one for each contestant that something is to be said of.
pub fn row(row: &Row, measured: &Measured) -> String {
    let mut text = String::new();
    for (number, figure) in row.figures.iter().enumerate() {
        let name = if number == 0 { &*row.name } else { "" };
        let ours = value(measured, Contestant::Encke, figure);
        let _ = write!(text, "{name:<21} {:<24} {ours:<30}", figure.name);
        let _ = match measured.comparison(figure) {
            Some(compared) => writeln!(text, " {}", comparison(figure, &compared)),
            None => writeln!(text),
        };
    }
    for cell in &measured.cells {
        let remarks = cell.remarks();
        if !remarks.is_empty() {
            let _ = writeln!(text, "{:21} ! {}: {remarks}", "", cell.contestant.setting().title);
        }
    }
    for note in measured.notes() {
        let _ = writeln!(text, "{:21} ! {note}", "");
    }
    text
}

fn comparison(figure: &Figure, compared: &Comparison) -> String {
    let best = figure.unit.show(compared.best_median);
    let mut text = format!(
        "{:>6}× the best peer, {} {best}",
        three_digits(compared.ratio),
        compared.best.setting().title
    );
    if let (Some(wanted), Some(met)) = (figure.wanted_ratio(), compared.met) {
        let _ = write!(text, "; goal {}×: {}", three_digits(wanted), if met { "met" } else { "MISSED" });
    }
    text
}

/// Median and range.
fn value(measured: &Measured, contestant: Contestant, figure: &Figure) -> String {
    let summary = measured.cell(contestant).and_then(|cell| cell.summary(figure));
    summary.map_or("failed".to_owned(), |summary| figure.unit.show_range(summary))
}

/// Medians of all that took part, a column each.
pub fn table(rows: &[&Row], results: &Results) -> String {
    let shown: Vec<_> = rows.iter().filter_map(|row| Some((*row, results.of(row)?))).collect();
    let takes_part = |one: &Contestant| shown.iter().any(|(_, measured)| measured.cell(*one).is_some());
    let columns: Vec<_> = Contestant::EACH.into_iter().filter(takes_part).collect();
    let mut table = format!("{:46}", "medians");
    for column in &columns {
        let _ = write!(table, "{:>14}", column.setting().short);
    }
    table.push('\n');
    for (row, measured) in shown {
        for figure in row.figures {
            let _ = write!(table, "{:<21} {:<24}", row.name, figure.name);
            for &column in &columns {
                let cell = measured.cell(column).map(|cell| match cell.summary(figure) {
                    Some(summary) => figure.unit.show(summary.median),
                    None => "failed".to_owned(),
                });
                let _ = write!(table, "{:>14}", cell.unwrap_or_default());
            }
            table.push('\n');
        }
    }
    table
}
