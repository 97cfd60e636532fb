//! What people read while they wait, and the table at the end.
//!
//! Owns the wording on the terminal. Must not measure or judge.

use std::fmt::Write;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::measure::Choice;
use crate::results::{Comparison, Measured, Results};
use crate::row::{Figure, Goal, Row, three_digits};

/// What will be measured, and about how long that takes.
pub fn plan(rows: &[&Row], choice: &Choice) -> String {
    let mut plan = String::new();
    let mut all = Duration::ZERO;
    for row in rows {
        let contestants = choice.contestants(row);
        let whole = row.estimate(&contestants, choice.seconds) * choice.runs(row) as u32;
        let runs = counted(choice.runs(row));
        all += whole;
        let titles: Vec<_> = contestants.iter().map(|one| one.setting().title).collect();
        let _ = writeln!(
            plan,
            "{:<21} {runs} each, about {:>3} s: {}",
            row.name,
            whole.as_secs(),
            titles.join("; ")
        );
    }
    let _ = writeln!(plan, "About {} in all.", minutes(all));
    plan
}

/// How many runs, in words.
pub fn counted(runs: usize) -> String {
    if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") }
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
    for (number, (one, figure, goal)) in row.compared().into_iter().enumerate() {
        let Some(ours) = value(measured, one, figure) else { continue };
        let name = if number == 0 { &*row.name } else { "" };
        let _ = write!(text, "{name:<21} {:<24} {ours:<30}", named(one, figure));
        let _ = match (measured.comparison(one, figure, goal), goal) {
            (Some(compared), _) => writeln!(text, " {}", comparison(figure, goal, &compared)),
            (None, Some(Goal { ours, best_peer })) => {
                let [ours, best_peer] = [ours, best_peer].map(|value| figure.unit.show(value));
                writeln!(text, " goal {ours} where the best peer took {best_peer}")
            }
            (None, None) => writeln!(text),
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

/// A figure's name, with the setting when it is another one than the peers are compared with.
pub fn named(contestant: Contestant, figure: &Figure) -> String {
    match contestant {
        Contestant::Encke => figure.name.to_owned(),
        other => format!("{}, {}", figure.name, other.setting().short),
    }
}

fn comparison(figure: &Figure, goal: Option<Goal>, compared: &Comparison) -> String {
    let best = figure.unit.show(compared.best_median);
    let mut text = format!(
        "{:>6}× the best peer, {} {best}",
        three_digits(compared.ratio),
        compared.best.setting().title
    );
    if let (Some(goal), Some(met)) = (goal, compared.met) {
        let wanted = three_digits(figure.wanted_ratio(goal));
        let _ = write!(text, "; goal {wanted}×: {}", if met { "met" } else { "MISSED" });
    }
    text
}

/// Median and range; none for who does not take part.
fn value(measured: &Measured, contestant: Contestant, figure: &Figure) -> Option<String> {
    let cell = measured.cell(contestant)?;
    Some(cell.summary(figure).map_or("failed".to_owned(), |summary| figure.unit.show_range(summary)))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::results::Cell;
    use crate::rows;

    const KEYS: [&str; 3] = ["server_cpu_s_per_m_deliveries", "latency_p50", "latency_p99"];

    fn fanout() -> &'static Row {
        rows::named(&["fanout-paced".to_owned()]).expect("is a row")[0]
    }

    fn measured(values: &[(Contestant, f64)]) -> Measured {
        let cells = values.iter().map(|&(contestant, value)| {
            let values = KEYS.map(|key| (key.to_owned(), vec![value, value * 2.0, value / 2.0])).into();
            Cell { values, ..Cell::new(contestant) }
        });
        let (row, machine, command) = ("fanout-paced".to_owned(), Machine::default(), String::new());
        Measured { row, machine, command, took: 1.0, cells: cells.collect() }
    }

    #[test]
    fn a_row_says_median_range_ratio_and_goal_of_each_figure() {
        let text = row(fanout(), &measured(&[(Contestant::Encke, 4.0), (Contestant::Bun, 8.0)]));
        let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let expected = [
            "fanout-paced CPU per delivery 4.00 µs (2.00–8.00) 2.00× the best peer, Bun 8.00 µs; goal 1.50×: met",
            "latency, p50 4.00 µs (2.00–8.00) 2.00× the best peer, Bun 8.00 µs; goal 1.37×: met",
            "latency, p99 4.00 µs (2.00–8.00) 2.00× the best peer, Bun 8.00 µs; goal 1.29×: met",
        ];
        assert_eq!(words.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn without_peers_a_goal_stands_beside_what_the_best_took_where_it_was_set() {
        let text = row(fanout(), &measured(&[(Contestant::Encke, 4.0)]));
        assert!(text.contains(" goal 4.40 µs where the best peer took 6.60 µs\n"), "{text}");
    }

    #[test]
    fn a_plan_counts_the_runs_of_all_that_take_part() {
        let choice = Choice { ours: true, runs: Some(2), seconds: Some(1.0) };
        // Three of ours, twice; beside the second that is measured, somewhat more than one and a half pass.
        let text = plan(&[fanout()], &choice);
        assert!(
            text.contains("2 runs each, about  15 s: Encke; Encke, multi_thread; Encke, recovery\n"),
            "{text}"
        );
        assert!(text.ends_with("About 15 s in all.\n"), "{text}");
    }

    #[test]
    fn the_table_has_a_column_for_each_that_took_part() {
        let results =
            Results { measured: vec![measured(&[(Contestant::Encke, 4.0), (Contestant::Node, 8.0)])] };
        let text = table(&[fanout()], &results);
        let first: Vec<_> = text.lines().next().unwrap_or_default().split_whitespace().collect();
        assert_eq!(first, ["medians", "Encke", "Node"]);
        assert_eq!(text.lines().count(), 4);
    }
}
