//! The page of the three techniques: `bench/docs/techniques.md` with its plots.
//!
//! Owns how values become tables and plots. The words around them are a template, which names some of the values itself. A
//! page is a function of what was measured: the same values make the same page.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{BYTES, CHATS, CPU, Chat, Comparison, FIGURES, HALF, HISTORY, PAYLOAD, READERS, Technique, WIRE};
use crate::page::{fill, hardware};
use crate::plot::scale::Scale;
use crate::plot::{Axis, Line, Plot};
use crate::report::minutes;
use crate::results::{notes, save};
use crate::row::{Figure, Unit};

const TEMPLATE: &str = include_str!("page.md");
const FOLDER: &str = "bench/docs";

/// A figure over how much is said.
struct Drawing {
    file: &'static str,
    title: &'static str,
    /// What the upright axis counts, and which way is better.
    axis: &'static str,
    figure: Figure,
}

const DRAWINGS: [Drawing; 3] = [
    Drawing {
        file: "techniques-delay.svg",
        title: "How late a message is",
        axis: "delay, p50; less is better",
        figure: HALF,
    },
    Drawing {
        file: "techniques-bytes.svg",
        title: "What travels for a message to a reader",
        axis: "bytes on the wire, both ways; less is better",
        figure: WIRE,
    },
    Drawing {
        file: "techniques-cpu.svg",
        title: "What the server does for a message to a reader",
        axis: "CPU, with the kernel's for it; less is better",
        figure: CPU,
    },
];

/// Writes the page and its plots.
///
/// # Errors
/// When a value is missing, or a file cannot be written.
pub fn write(comparison: &Comparison) -> Result<()> {
    let folder = Path::new(FOLDER);
    for drawing in &DRAWINGS {
        save(&folder.join(drawing.file), &plot(comparison, drawing)?.svg())?;
    }
    let path = folder.join("techniques.md");
    save(&path, &text(comparison)?)?;
    println!("Written: {}", path.display());
    Ok(())
}

/// The table for the terminal and the page alike.
pub fn table(comparison: &Comparison) -> String {
    let names = FIGURES.map(|figure| format!(" {} |", figure.name)).concat();
    let mut table = format!("| chat | technique |{names}\n|---|---|{}\n", "--:|".repeat(FIGURES.len()));
    for chat in &CHATS {
        for technique in Technique::EACH {
            let name = if technique == Technique::EACH[0] { chat.name } else { "" };
            let _ = write!(table, "| {name} | {} |", technique.title());
            for figure in &FIGURES {
                let value = comparison.value(chat, technique, figure);
                let _ = write!(
                    table,
                    " {} |",
                    value.map_or("failed".to_owned(), |value| figure.unit.show(value))
                );
            }
            table.push('\n');
        }
    }
    table
}

/// What went wrong, a line for each technique, and what else is to be said of the runs; nothing when all was well.
pub fn remarks(comparison: &Comparison) -> String {
    let named = comparison.measured.iter().map(|one| (one.name(), &one.cell));
    let wrong = named.clone().map(|(name, cell)| (name, cell.remarks()));
    let wrong = wrong.filter(|(_, remarks)| !remarks.is_empty());
    let wrong = wrong.map(|(name, remarks)| format!("{name}: {remarks}"));
    wrong.chain(notes(named)).map(|line| format!("- {line}\n")).collect()
}

fn text(comparison: &Comparison) -> Result<String> {
    let mut values = vec![
        ("where".to_owned(), place(comparison)),
        ("readers".to_owned(), READERS.to_string()),
        ("payload".to_owned(), PAYLOAD.to_string()),
        ("history".to_owned(), HISTORY.to_string()),
        ("table".to_owned(), table(comparison)),
        ("remarks".to_owned(), remarks(comparison)),
        ("hour".to_owned(), hour(comparison)?),
    ];
    for chat in &CHATS {
        values.push((chat.name.to_owned(), chat.what.to_owned()));
        for technique in Technique::EACH {
            for figure in &FIGURES {
                let name = format!("{}, {}: {}", chat.name, technique.title(), figure.name);
                values.push((name, figure.unit.show(comparison.value(chat, technique, figure)?)));
            }
        }
    }
    let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let text = fill(TEMPLATE, &values);
    let unknown = text.split_once("{{").map(|(_, rest)| rest.split("}}").next().unwrap_or_default());
    ensure!(unknown.is_none(), "the page names a value that there is not: {unknown:?}");
    Ok(text)
}

fn place(Comparison { machine, command, took, .. }: &Comparison) -> String {
    let took = minutes(Duration::from_secs_f64(*took));
    let rust = machine.versions.get("rustc").map_or("rustc", String::as_str);
    format!(
        "{}: `{command}`, {took}. {}. Commit {}, {rust}.",
        machine.date,
        hardware(machine),
        machine.commit
    )
}

/// What travels for one reader in an hour.
fn hour(comparison: &Comparison) -> Result<String> {
    let names = CHATS.each_ref().map(|chat| format!(" {} |", chat.name)).concat();
    let mut table = format!("| technique |{names}\n|---|{}\n", "--:|".repeat(CHATS.len()));
    for technique in Technique::EACH {
        let _ = write!(table, "| {} |", technique.title());
        for chat in &CHATS {
            let all = comparison.value(chat, technique, &WIRE)? * chat.rate * 3_600.0;
            let _ = write!(table, " {} |", BYTES.unit.show(all));
        }
        table.push('\n');
    }
    Ok(table)
}

fn plot(comparison: &Comparison, drawing: &Drawing) -> Result<Plot> {
    let line = |technique: Technique| {
        let point = |chat: &Chat| Ok((chat.rate, comparison.value(chat, technique, &drawing.figure)?));
        let points = CHATS.iter().map(point).collect::<Result<_>>()?;
        Ok(Line { name: technique.title(), points })
    };
    let axis = |name: &str, label| Axis { name: name.to_owned(), scale: Scale::Log10, label };
    Ok(Plot {
        title: format!("{}, by how much is said", drawing.title),
        x: axis("messages a second", Unit::Number.label()),
        y: axis(drawing.axis, drawing.figure.unit.label()),
        lines: Technique::EACH.into_iter().map(line).collect::<Result<_>>()?,
    })
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::contestant::Contestant;
    use crate::machine::Machine;
    use crate::results::Cell;
    use crate::techniques::Measured;

    /// Values that say where they stand: of the second chat the third technique's fourth figure is 234.
    pub fn made_up() -> Comparison {
        let mut measured = Vec::new();
        for (row, chat) in CHATS.iter().enumerate() {
            for (number, technique) in Technique::EACH.into_iter().enumerate() {
                let value = |at: usize| ((row + 1) * 100 + (number + 1) * 10 + at + 1) as f64;
                let values =
                    FIGURES.iter().enumerate().map(|(at, figure)| (figure.key.to_owned(), vec![value(at)]));
                let cell = Cell { values: values.collect(), ..Cell::new(Contestant::Encke) };
                measured.push(Measured { chat: chat.name.to_owned(), technique, cell });
            }
        }
        let command = "cargo xtask bench techniques --write".to_owned();
        Comparison { machine: Machine::default(), command, took: 400.0, measured }
    }

    #[test]
    fn the_table_has_a_line_for_each_technique_in_each_chat() {
        let table = table(&made_up());
        assert_eq!(table.lines().count(), 2 + 12);
        assert!(table.contains("\n| quiet | WebSocket | 111 | 112 B | 113 B | 114 µs | 115 µs | 116 µs |\n"));
        assert!(
            table.ends_with("\n|  | every 5 s | 341 | 342 B | 343 B | 344 µs | 345 µs | 346 µs |\n"),
            "{table}"
        );
    }

    #[test]
    fn what_has_failed_has_no_value_and_is_on_no_page() {
        let mut comparison = made_up();
        comparison.measured[0].cell.values.clear();
        assert!(table(&comparison).contains("\n| quiet | WebSocket | failed |"));
        assert!(text(&comparison).is_err());
    }

    #[test]
    fn the_page_has_a_value_wherever_it_names_one() {
        let text = text(&made_up()).expect("names no other");
        assert!(text.contains("`cargo xtask bench techniques --write`, 7 minutes."));
        assert!(text.contains("| quiet | WebSocket | 111 |") && !text.contains("}}"), "{text}");
    }

    #[test]
    fn an_hour_is_what_travels_for_all_that_is_said_in_it() {
        let hour = hour(&made_up()).expect("has all values");
        // 113 B for each of 720 messages, 213 B for each of 3,600, 313 B for each of 36,000.
        assert!(hour.contains("| WebSocket | 81.4 kB | 767 kB | 11.3 MB |\n"), "{hour}");
    }

    #[test]
    fn what_went_wrong_is_said() {
        let mut comparison = made_up();
        assert_eq!(remarks(&comparison), "");
        comparison.measured[1].cell.faults = BTreeMap::from([("lost".to_owned(), 3)]);
        comparison.measured[2].cell.disturbed = 1;
        assert_eq!(
            remarks(&comparison),
            "- quiet, long polling: 3 lost\n- Runs that something else disturbed: quiet, every 1 s 1\n"
        );
    }

    #[test]
    fn each_plot_has_a_line_for_each_technique() {
        for drawing in &DRAWINGS {
            let svg = plot(&made_up(), drawing).expect("has all values").svg();
            assert!(Technique::EACH.iter().all(|one| svg.contains(&format!(">{}</text>", one.title()))));
        }
    }
}
