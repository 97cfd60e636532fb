//! The pages of results, in Markdown: `bench/docs/figures.md`, and the short table in the README.
//!
//! Owns how values become tables. The words around them are templates in `page/`, filled where they name something in
//! double braces. A page is a function of what was measured: the same results make the same page.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::contestant::Contestant;
use crate::machine::Machine;
use crate::report::{counted, minutes, named};
use crate::results::{Cell, Measured, Results, save};
use crate::row::{Figure, Goal, Row, three_digits};
use crate::rows::ROWS;

const TEMPLATE: &str = include_str!("page/figures.md");
const PAGE: &str = "bench/docs/figures.md";
const README: &str = "README.md";

/// What the README's table stands between.
const MARKS: [&str; 2] =
    ["<!-- figures: written by `cargo xtask bench --write` -->\n", "<!-- /figures -->\n"];

/// The rows whose first figures stand in the README.
const MAIN: [&str; 7] = [
    "fanout-paced",
    "fanout-window-8",
    "echo-websocket-16",
    "echo-polling",
    "connect-websocket",
    "idle-websocket",
    "idle-polling",
];

/// Writes the page, and the table in the README.
///
/// # Errors
/// When nothing was measured, or a file cannot be read or written.
pub fn write(results: &Results) -> Result<()> {
    save(Path::new(PAGE), &figures(results)?)?;
    let readme = fs::read_to_string(README).with_context(|| format!("cannot read {README}"))?;
    save(Path::new(README), &between(&readme, MARKS, &main_figures(results))?)?;
    println!("Written: {PAGE}, {README}");
    Ok(())
}

/// Puts values in place of their names in double braces.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value.trim_end_matches('\n'))
    })
}

/// Puts `inner` between two marks that a text has.
fn between(text: &str, marks: [&str; 2], inner: &str) -> Result<String> {
    let parts =
        text.split_once(marks[0]).and_then(|(before, rest)| Some((before, rest.split_once(marks[1])?.1)));
    let (before, after) = parts.with_context(|| format!("{README} has no place for figures"))?;
    Ok([before, marks[0], inner, marks[1], after].concat())
}

fn figures(results: &Results) -> Result<String> {
    ensure!(!results.measured.is_empty(), "nothing was measured yet: type `cargo xtask bench --write`");
    let rows: String = measured_rows(results).map(|(row, measured)| details(row, measured)).collect();
    let values = [
        ("where", sessions(measured_rows(results).map(|(_, measured)| measured))),
        ("overview", overview(results)),
        ("contestants", contestants(results)),
        ("rows", rows),
    ];
    Ok(fill(TEMPLATE, &values.each_ref().map(|(name, value)| (*name, value.as_str()))))
}

/// The rows that there are values of, in the order of the table.
fn measured_rows(results: &Results) -> impl Iterator<Item = (&'static Row, &Measured)> {
    ROWS.iter().filter_map(|row| Some((row, results.of(row)?)))
}

/// On which machine, when, what and by which command; once for each sitting that the values come from.
pub fn sessions<'a>(measured: impl IntoIterator<Item = &'a Measured>) -> String {
    let mut sessions: Vec<(&Measured, f64, Vec<&str>)> = Vec::new();
    for one in measured {
        let same = |session: &&mut (&Measured, f64, Vec<&str>)| {
            session.0.machine == one.machine && session.0.command == one.command
        };
        match sessions.iter_mut().find(same) {
            Some((_, took, rows)) => {
                *took += one.took;
                rows.push(&one.row);
            }
            None => sessions.push((one, one.took, vec![&one.row])),
        }
    }
    let several = sessions.len() > 1;
    let mut text = String::new();
    for (Measured { machine, command, .. }, took, rows) in sessions {
        let took = minutes(Duration::from_secs_f64(took));
        let _ = write!(text, "{}: `{command}`, {took}. {}.", machine.date, hardware(machine));
        let _ = write!(text, " Commit {}.", machine.commit);
        if several {
            let _ = write!(text, " Rows: {}.", rows.join(", "));
        }
        text.push_str("\n\n");
    }
    text
}

/// A machine in words.
pub fn hardware(machine: &Machine) -> String {
    let Machine { processor, cores, memory, kernel, .. } = machine;
    let memory = *memory as f64 / 1e9;
    format!("{processor}, {cores} cores, {} GB, Linux {kernel}", three_digits(memory))
}

/// Each row's first figure, and all that have a goal.
fn overview(results: &Results) -> String {
    let mut table =
        String::from("| row | figure | Encke | best peer | ratio | goal |\n|---|---|---|---|---|---|\n");
    for (row, measured) in measured_rows(results) {
        for (number, (one, figure, goal)) in row.compared().into_iter().enumerate() {
            if number == 0 || goal.is_some() && measured.cell(one).is_some() {
                let cells = compared(measured, one, figure, goal).join(" | ");
                let _ = writeln!(table, "| [{0}](#{0}) | {1} | {cells} |", row.name, named(one, figure));
            }
        }
    }
    table
}

/// The README's table.
fn main_figures(results: &Results) -> String {
    let mut table = String::from("| | Encke | best peer | ratio |\n|---|---|---|---|\n");
    for (row, measured) in measured_rows(results).filter(|(row, _)| MAIN.contains(&&*row.name)) {
        let figure = &row.figures[0];
        // Without the goal, which is for those who work on it.
        let [ours, best, ratio, _] = compared(measured, Contestant::Encke, figure, None);
        let _ = writeln!(table, "| {}: {} | {ours} | {best} | {ratio} |", row.what, figure.name);
    }
    table
}

/// Ours, the best peer's, their ratio and the goal.
fn compared(measured: &Measured, one: Contestant, figure: &Figure, goal: Option<Goal>) -> [String; 4] {
    let median = |contestant| {
        let cell = measured.cell(contestant);
        let summary = cell.and_then(|cell| Some((cell, cell.summary(figure)?)));
        summary.map_or("failed".to_owned(), |(cell, summary)| figure.unit.show(summary.median) + mark(cell))
    };
    let ours = median(one);
    let Some(compared) = measured.comparison(one, figure, goal) else {
        return [ours, String::new(), String::new(), String::new()];
    };
    let best = format!("{}, {}", median(compared.best), compared.best.setting().title);
    let verdict = goal.map(|goal| {
        let verdict = if compared.met == Some(true) { "met" } else { "missed" };
        format!("{}×: {verdict}", three_digits(figure.wanted_ratio(goal)))
    });
    [ours, best, format!("**{}×**", three_digits(compared.ratio)), verdict.unwrap_or_default()]
}

/// What stands behind figures of runs in which something went wrong.
fn mark(cell: &Cell) -> &'static str {
    if cell.is_sound() { "" } else { " \\*" }
}

/// Who takes part and in which setting, a line each.
pub fn contestants(results: &Results) -> String {
    let takes_part = |one: &Contestant| results.measured.iter().any(|measured| measured.cell(*one).is_some());
    let mut table = String::new();
    for contestant in Contestant::EACH.into_iter().filter(takes_part) {
        let setting = contestant.setting();
        let version = results.measured.last().map(|last| version(contestant, &last.machine));
        let _ = writeln!(
            table,
            "| {} | {} | {} | {} | {} |",
            setting.title,
            version.unwrap_or_default(),
            setting.runtime,
            setting.route,
            setting.recovery
        );
    }
    table
}

/// What exactly was measured.
fn version(contestant: Contestant, machine: &Machine) -> String {
    let of = |name: &str| machine.versions.get(name).map_or("?", String::as_str);
    match contestant {
        Contestant::Node => format!("socket.io {} on Node {}", of("socket.io"), of("node")),
        Contestant::Bun => {
            format!(
                "socket.io {}, bun-engine {} on Bun {}",
                of("socket.io"),
                of("@socket.io/bun-engine"),
                of("bun")
            )
        }
        Contestant::Socketioxide => format!("{} on axum {}", of("socketioxide"), of("axum of socketioxide")),
        Contestant::SocketioxideMultiThread => "the same".to_owned(),
        Contestant::SocketioxideMimalloc => format!("the same, mimalloc {}", of("mimalloc")),
        Contestant::Floor => format!("[its own](../peers/floor/src/main.rs), {}", of("rustc")),
        Contestant::Encke => of("rustc").to_owned(),
        Contestant::Axum | Contestant::MultiThread | Contestant::Recovery => "the same".to_owned(),
    }
}

/// A section: what the load is, and a table of everybody's figures.
fn details(row: &Row, measured: &Measured) -> String {
    let runs = counted(measured.runs());
    let mut text = format!("### {}\n\n{}. `encke-load {}`, {runs} each.\n\n|", row.name, row.what, row.load);
    for cell in &measured.cells {
        let _ = write!(text, " | {}", cell.contestant.setting().title);
    }
    let _ = writeln!(text, " |\n|{}", "---|".repeat(measured.cells.len() + 1));
    for figure in row.figures {
        let _ = write!(text, "| {}", figure.name);
        for cell in &measured.cells {
            let _ = write!(text, " | {}", in_full(cell, figure));
        }
        text.push_str(" |\n");
    }
    text.push('\n');
    for cell in &measured.cells {
        let remarks = cell.remarks();
        if !remarks.is_empty() {
            let _ = writeln!(text, "- \\* {}: {}", cell.contestant.setting().title, on_one_line(&remarks));
        }
    }
    for note in measured.notes() {
        let _ = writeln!(text, "- {note}");
    }
    text.push('\n');
    text
}

/// Median and range, marked when something went wrong.
fn in_full(cell: &Cell, figure: &Figure) -> String {
    cell.summary(figure).map_or("failed".to_owned(), |summary| figure.unit.show_range(summary)) + mark(cell)
}

/// What a program said when it failed may have several.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What the page is for [`made_up`] values.
    const EXPECTED: &str = include_str!("page/expected.md");

    fn machine() -> Machine {
        let versions = [
            ("rustc", "rustc 1.95.0"),
            ("socket.io", "4.8.4"),
            ("node", "v20.0.0"),
            ("socketioxide", "0.18.9"),
            ("axum of socketioxide", "0.8.9"),
        ];
        Machine {
            processor: "A processor".to_owned(),
            cores: 2,
            memory: 4_110_409_728,
            kernel: "6.18.0".to_owned(),
            commit: "0123456789".to_owned(),
            date: "2026-11-23".to_owned(),
            versions: versions.map(|(name, version)| (name.to_owned(), version.to_owned())).into(),
        }
    }

    fn cell(contestant: Contestant, values: &[(&str, [f64; 3])]) -> Cell {
        let values = values.iter().map(|(key, values)| ((*key).to_owned(), values.to_vec()));
        Cell { values: values.collect(), ..Cell::new(contestant) }
    }

    fn measured(row: &str, cells: Vec<Cell>) -> Measured {
        let command = "cargo xtask bench --write".to_owned();
        Measured { row: row.to_owned(), machine: machine(), command, took: 90.0, cells }
    }

    /// A row with goals, one that is reached and one that is not, and a row in which a peer fails.
    fn made_up() -> Results {
        const CPU: &str = "server_cpu_s_per_m_deliveries";
        let mut node = cell(
            Contestant::Node,
            &[(CPU, [11.4, 11.2, 12.0]), ("latency_p50", [5_500.0; 3]), ("latency_p99", [13_500.0; 3])],
        );
        node.faults = BTreeMap::from([("lost".to_owned(), 1_234), ("out of order".to_owned(), 5)]);
        let ours = [(CPU, [4.0, 4.1, 3.9]), ("latency_p50", [2_500.0; 3]), ("latency_p99", [12_000.0; 3])];
        let mut disturbed = cell(Contestant::Encke, &ours);
        disturbed.disturbed = 1;
        let mut failed = Cell::new(Contestant::Socketioxide);
        failed.failure = Some("`socketioxide-peer 3000` ended; it said\n  sorry".to_owned());
        let idle = [
            ("rss_per_conn", [1_500.0, 1_600.0, 1_550.0]),
            ("connect_rate", [33_000.0; 3]),
            ("server_rss_before", [4e6; 3]),
        ];
        let fanout = measured("fanout-paced", vec![disturbed, node]);
        let idle = measured("idle-websocket", vec![cell(Contestant::Encke, &idle), failed]);
        Results { measured: vec![idle, fanout] }
    }

    #[test]
    fn the_page_of_made_up_values_is_as_expected() {
        let page = figures(&made_up()).expect("has values");
        if page != EXPECTED {
            let path = std::env::temp_dir().join("encke-figures.md");
            fs::write(&path, page).expect("is writable");
            panic!("the page is another than bench/src/page/expected.md: see {}", path.display());
        }
    }

    #[test]
    fn rows_that_were_measured_at_another_commit_are_named() {
        let mut results = made_up();
        results.measured[0].machine.commit = "fedcba9876".to_owned();
        let place = sessions(&results.measured);
        assert!(place.contains("Commit 0123456789. Rows: fanout-paced."), "{place}");
        assert!(place.contains("Commit fedcba9876. Rows: idle-websocket."), "{place}");
    }

    #[test]
    fn the_readmes_table_takes_the_place_of_the_earlier_one() {
        let readme = format!("before\n{}old\n{}after\n", MARKS[0], MARKS[1]);
        let table = main_figures(&made_up());
        assert!(table.contains("CPU per delivery | 4.00 µs | 11.4 µs \\*, Node | **2.85×** |\n"), "{table}");
        let filled = between(&readme, MARKS, &table).expect("has a place");
        assert_eq!(filled, format!("before\n{}{table}{}after\n", MARKS[0], MARKS[1]));
        assert!(between("no place", MARKS, &table).is_err());
        let ours = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"));
        assert!(between(&ours.expect("is readable"), MARKS, "").is_ok());
    }

    #[test]
    fn without_values_there_is_no_page() {
        let error = figures(&Results::default()).expect_err("is empty").to_string();
        assert!(error.contains("type `cargo xtask bench --write`"), "{error}");
    }
}
