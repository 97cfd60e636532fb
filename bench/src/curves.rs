//! Growth curves: the same load with more and more clients, rooms or bytes, and the plots and page of them.
//!
//! Owns the table of curves. A point of a curve is measured like any row, under a name of its own.

use std::borrow::Cow::Owned;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use crate::contestant::Contestant::{self, Bun, Encke, Node, Socketioxide, SocketioxideMimalloc};
use crate::page::{contestants, fill, sessions};
use crate::plot::scale::Scale;
use crate::plot::{Axis, Line, Plot};
use crate::results::{Measured, Results, grouped, save};
use crate::row::{Better, Figure, Length, Row, Unit};

/// One load, with one number that grows.
struct Curve {
    name: &'static str,
    what: &'static str,
    /// What the number counts.
    x: &'static str,
    scale: Scale,
    label: fn(f64) -> String,
    points: &'static [u32],
    load: fn(u32) -> String,
    length: Length,
    figures: &'static [Figure],
    /// A plot of each figure.
    plots: &'static [Shown],
}

/// How a figure is plotted.
struct Shown {
    /// The name of its file, without the ending.
    file: &'static str,
    title: &'static str,
    /// Below this number the figure is so small a part of what is measured that it is not shown.
    from: u32,
}

const CONTESTANTS: &[Contestant] = &[Encke, Node, Bun, Socketioxide, SocketioxideMimalloc];

const CPU: Figure = Figure {
    key: "server_cpu_s_per_m_deliveries",
    name: "CPU per delivery",
    unit: Unit::Microseconds,
    better: Better::Smaller,
    goal: None,
};

const CURVES: &[Curve] = &[
    Curve {
        name: "clients-cpu",
        what: "One client's messages of 64 B to all others, one at a time, 50,000 deliveries/s however many there are",
        x: "clients",
        scale: Scale::Log10,
        label: count,
        points: &[100, 300, 1_000, 3_000, 10_000],
        load: |clients| {
            let rate = 50_000.0 / f64::from(clients - 1);
            format!("fanout --n {clients} --rate {rate:.2} --payload 64")
        },
        length: Length::Measured { seconds: 2.0, around: 1.7 },
        figures: &[CPU],
        plots: &[Shown { file: "clients-cpu", title: "The server's CPU for each delivery", from: 0 }],
    },
    Curve {
        name: "clients-memory",
        what: "Clients that connect by WebSocket, and stay",
        x: "clients",
        scale: Scale::Log10,
        label: count,
        // What the first client costs is a part of what few cost.
        points: &[1_000, 2_000, 5_000, 10_000, 19_000],
        load: |clients| format!("idle --n {clients} --hold 0.1"),
        length: Length::OfTheLoad { about: 4.5 },
        figures: &[Figure {
            key: "rss_per_conn",
            name: "memory per client",
            unit: Unit::Bytes,
            better: Better::Smaller,
            goal: None,
        }],
        plots: &[Shown {
            file: "clients-memory",
            title: "The server's memory for each idle client",
            from: 0,
        }],
    },
    Curve {
        name: "rooms",
        what: "Rooms of 10, 1,000 clients in all, 2,000 messages/s of 64 B into rooms in turn",
        x: "rooms",
        scale: Scale::Log10,
        label: count,
        points: &[10, 100, 1_000, 10_000, 100_000],
        load: |rooms| format!("rooms --rooms {rooms} --members 10 --n 1000 --rate 2000 --payload 64"),
        length: Length::Measured { seconds: 2.0, around: 3.2 },
        figures: &[
            CPU,
            Figure {
                key: "rss_per_room",
                name: "memory per room",
                unit: Unit::Bytes,
                better: Better::Smaller,
                goal: None,
            },
        ],
        plots: &[
            Shown { file: "rooms-cpu", title: "The server's CPU for each delivery into a room", from: 0 },
            Shown { file: "rooms-memory", title: "The server's memory for each room of ten", from: 1_000 },
        ],
    },
    Curve {
        name: "payload",
        what: "One client's messages to 99 others, as fast as it goes, 8 outstanding",
        x: "payload",
        scale: Scale::Log4,
        label: payload,
        points: &[16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144],
        load: |bytes| format!("fanout --n 100 --saturate --window 8 --payload {bytes}"),
        length: Length::Measured { seconds: 2.0, around: 0.9 },
        figures: &[
            Figure {
                key: "deliveries_per_s",
                name: "deliveries",
                unit: Unit::PerSecond,
                better: Better::Larger,
                goal: None,
            },
            CPU,
        ],
        plots: &[
            Shown { file: "payload", title: "Deliveries as fast as it goes", from: 0 },
            Shown {
                file: "payload-cpu",
                title: "The server's CPU for each delivery, as fast as it goes",
                from: 0,
            },
        ],
    },
];

impl Curve {
    fn row(&self, point: u32) -> Row {
        Row {
            name: Owned(format!("{}-{point}", self.name)),
            what: Owned(format!("{}: {} {}", self.what, (self.label)(f64::from(point)), self.x)),
            load: Owned((self.load)(point)),
            length: self.length,
            figures: self.figures,
            contestants: CONTESTANTS,
            axum_goal: None,
            runs: 1,
        }
    }

    /// What is known, by point.
    fn measured<'a>(&self, results: &'a Results) -> Vec<(u32, &'a Measured)> {
        let known = |&point: &u32| Some((point, results.of(&self.row(point))?));
        self.points.iter().filter_map(known).collect()
    }
}

/// The points of the curves of these names, or whose names begin with them; of all without a name.
///
/// # Errors
/// When a name means none: lists what there is.
pub fn named(names: &[String]) -> Result<Vec<Row>> {
    for name in names {
        if !CURVES.iter().any(|curve| curve.name.starts_with(name.as_str())) {
            bail!("no curve begins with `{name}`; there are\n{}", list());
        }
    }
    let wanted =
        |curve: &&Curve| names.is_empty() || names.iter().any(|name| curve.name.starts_with(name.as_str()));
    let curves = CURVES.iter().filter(wanted);
    Ok(curves.flat_map(|curve| curve.points.iter().map(|&point| curve.row(point))).collect())
}

/// A line for each curve.
pub fn list() -> String {
    CURVES.iter().map(|curve| format!("  {:<18} {}\n", curve.name, curve.what)).collect()
}

const FOLDER: &str = "bench/docs";
const TEMPLATE: &str = include_str!("page/growth.md");

/// Writes the page and its plots.
///
/// # Errors
/// When nothing was measured, or a file cannot be written.
pub fn write(results: &Results) -> Result<()> {
    ensure!(
        !results.measured.is_empty(),
        "no curve was measured yet: type `cargo xtask bench curves --write`"
    );
    let mut sections = String::new();
    for curve in CURVES {
        let known = curve.measured(results);
        if known.is_empty() {
            continue;
        }
        sections.push_str(&section(curve, &known));
        for (figure, shown) in curve.figures.iter().zip(curve.plots) {
            let svg = plot(curve, figure, shown, &known).svg();
            save(&Path::new(FOLDER).join(shown.file).with_extension("svg"), &svg)?;
        }
    }
    let values = [
        ("where", sessions(&results.measured)),
        ("runs", runs(results)),
        ("contestants", contestants(results)),
        ("curves", sections),
    ];
    let page = fill(TEMPLATE, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    save(&Path::new(FOLDER).join("growth.md"), &page)?;
    println!("Written: {FOLDER}/growth.md and its plots");
    Ok(())
}

/// How steady a point is, in words.
fn runs(results: &Results) -> String {
    let fewest = results.measured.iter().map(Measured::runs).min();
    match fewest.unwrap_or_default() {
        ..=1 => "one run, without the repeating that makes figures.md steady".to_owned(),
        runs => format!("the median of {runs} runs"),
    }
}

/// A heading, each plot with a table of its values, and what is to be said of them.
fn section(curve: &Curve, known: &[(u32, &Measured)]) -> String {
    let mut text = format!("## {}\n\n{}.\n\n", curve.name, curve.what);
    for (figure, Shown { file, title, .. }) in curve.figures.iter().zip(curve.plots) {
        let _ = writeln!(text, "![{title}, by {}]({file}.svg)\n\n{}", curve.x, table(curve, figure, known));
    }
    for (point, measured) in known {
        let point = (curve.label)(f64::from(*point));
        for cell in measured.cells.iter().filter(|cell| !cell.remarks().is_empty()) {
            let _ = writeln!(text, "- {point}, {}: {}", cell.contestant.setting().title, cell.remarks());
        }
        for note in measured.notes() {
            let _ = writeln!(text, "- {point}: {note}");
        }
    }
    text.push('\n');
    text
}

/// A line for each point.
fn table(curve: &Curve, figure: &Figure, known: &[(u32, &Measured)]) -> String {
    let mut table = format!("| {} ", curve.x);
    for contestant in CONTESTANTS {
        let _ = write!(table, "| {} ", contestant.setting().title);
    }
    let _ = writeln!(table, "|\n|{}", "---:|".repeat(CONTESTANTS.len() + 1));
    for (point, measured) in known {
        let _ = write!(table, "| {} ", (curve.label)(f64::from(*point)));
        for &contestant in CONTESTANTS {
            let value = median(measured, contestant, figure);
            let _ =
                write!(table, "| {} ", value.map_or("failed".to_owned(), |value| figure.unit.show(value)));
        }
        table.push_str("|\n");
    }
    table
}

fn plot(curve: &Curve, figure: &Figure, shown: &Shown, known: &[(u32, &Measured)]) -> Plot {
    let line = |&contestant: &Contestant| {
        let point =
            |(x, measured): &(u32, &Measured)| Some((f64::from(*x), median(measured, contestant, figure)?));
        let points = known.iter().filter(|(x, _)| *x >= shown.from).filter_map(point).collect();
        Line { name: contestant.setting().title.to_owned(), points }
    };
    let better = match figure.better {
        Better::Smaller => "less is better",
        Better::Larger => "more is better",
    };
    Plot {
        title: shown.title.to_owned(),
        x: Axis { name: curve.x.to_owned(), scale: curve.scale, label: curve.label },
        y: Axis {
            name: format!("{}; {better}", figure.name),
            scale: Scale::Log10,
            label: figure.unit.label(),
        },
        lines: CONTESTANTS.iter().map(line).collect(),
    }
}

fn median(measured: &Measured, contestant: Contestant, figure: &Figure) -> Option<f64> {
    Some(measured.cell(contestant)?.summary(figure)?.median)
}

fn count(value: f64) -> String {
    grouped(value as u64)
}

fn payload(value: f64) -> String {
    if value < 1024.0 { format!("{value} B") } else { format!("{} KiB", value / 1024.0) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::machine::Machine;
    use crate::results::Cell;

    #[test]
    fn each_curve_has_a_plot_for_each_figure_and_points_that_grow() {
        for (number, curve) in CURVES.iter().enumerate() {
            assert!(CURVES[number + 1..].iter().all(|other| other.name != curve.name), "{}", curve.name);
            assert_eq!(curve.figures.len(), curve.plots.len(), "{}", curve.name);
            assert!(curve.points.is_sorted_by(|one, next| one < next), "{}", curve.name);
        }
    }

    #[test]
    fn all_curves_together_take_less_than_a_quarter_of_an_hour() {
        let rows = named(&[]).expect("are all");
        let one = |row: &Row| row.estimate(row.contestants, None) * row.runs as u32;
        assert!(rows.iter().map(one).sum::<Duration>() < Duration::from_secs(15 * 60));
    }

    #[test]
    fn a_name_means_the_curves_that_begin_with_it() {
        let names = |name: &str| {
            named(&[name.to_owned()])
                .map(|rows| rows.iter().map(|row| row.name.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(
            names("rooms").expect("is one"),
            ["rooms-10", "rooms-100", "rooms-1000", "rooms-10000", "rooms-100000"]
        );
        assert_eq!(names("clients").expect("are two").len(), 10);
        assert!(names("room-10").expect_err("is none").to_string().contains("  payload "));
    }

    #[test]
    fn a_section_shows_plots_values_and_what_went_wrong() {
        let cell = |contestant, value| {
            let keys = ["deliveries_per_s", CPU.key];
            let values = keys.map(|key| (key.to_owned(), vec![value])).into();
            Cell { values, ..Cell::new(contestant) }
        };
        let mut node = cell(Node, 2e5);
        node.faults.insert("lost".to_owned(), 3);
        let curve = CURVES.iter().find(|curve| curve.name == "payload").expect("is there");
        let measured = Measured {
            row: "payload-1024".to_owned(),
            machine: Machine::default(),
            command: String::new(),
            took: 1.0,
            cells: vec![cell(Encke, 2.5e6), node],
        };
        let results = Results { measured: vec![measured] };
        let known = curve.measured(&results);
        let text = section(curve, &known);
        assert!(text.contains("![Deliveries as fast as it goes, by payload](payload.svg)"), "{text}");
        assert!(text.contains("| 1 KiB | 2.50 M/s | 200 k/s | failed | failed | failed |\n"), "{text}");
        assert!(text.contains("- 1 KiB, Node: 3 lost\n"), "{text}");
        let svg = plot(curve, &curve.figures[0], &curve.plots[0], &known).svg();
        assert!(svg.contains(">Encke</text>") && svg.contains(">1 KiB</text>"), "{svg}");
        assert!(!svg.contains(">Bun</text>"), "who has no point has no line");
    }
}
