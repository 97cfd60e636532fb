//! The tables as the documentation shows them.

use super::matrix::{Cell, ENGINE_IO, Row, SOCKET_IO};
use std::fmt::Write;

const DOCUMENT: &str = include_str!("../../../../server/docs/interop.md");

/// A table in Markdown, and below it the reasons, each under its number.
fn table(rows: &[Row]) -> String {
    let (mut text, mut reasons) = (String::from("| feature |"), Vec::new());
    for (client, _) in rows[0].cells {
        write!(text, " {} |", client.name).expect("memory takes it");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(rows[0].cells.len()));
    for row in rows {
        write!(text, "\n| {} |", row.words).expect("memory takes it");
        for (_, cell) in row.cells {
            let (word, reason) = match cell {
                Cell::Yes => {
                    text.push_str(" yes |");
                    continue;
                }
                Cell::But(reason) => ("yes", reason),
                Cell::No(reason) => ("no", reason),
            };
            let number = reasons.iter().position(|known| *known == reason).unwrap_or_else(|| {
                reasons.push(reason);
                reasons.len() - 1
            });
            write!(text, " {word} ({}) |", number + 1).expect("memory takes it");
        }
    }
    if !reasons.is_empty() {
        text.push('\n');
    }
    for (index, reason) in reasons.iter().enumerate() {
        write!(text, "\n{}. {reason}", index + 1).expect("memory takes it");
    }
    text
}

/// The tables, each under its heading.
const TABLES: [(&str, &[Row]); 2] = [("Socket.IO", SOCKET_IO), ("Engine.IO alone", ENGINE_IO)];

#[test]
fn every_feature_has_a_cell_for_every_client() {
    let names = |row: &Row| row.cells.iter().map(|(client, _)| client.name).collect::<Vec<_>>();
    for (_, rows) in TABLES {
        for row in rows {
            assert_eq!(names(row), names(&rows[0]), "{}", row.feature);
        }
    }
}

#[test]
fn the_documentation_shows_the_matrix() {
    for (heading, rows) in TABLES {
        let section = format!("## {heading}\n\n{}\n", table(rows));
        assert!(DOCUMENT.contains(&section), "server/docs/interop.md has to hold this:\n\n{section}\n");
    }
}
