//! Whether counts are as they were.
//!
//! Owns the tolerance and the words. Fewer instructions than accepted are no verdict of peace either: a baseline that is too
//! high would hide the next loss.

use super::baseline::Section;
use super::callgrind::Scenario;

/// Further than this from the baseline is not as it was. The same code counts the same to a few thousandths.
pub const TOLERANCE_PERCENT: u64 = 3;

/// A scenario that is played now, or was when the baseline was accepted.
#[derive(Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub operation: String,
    /// Instructions of an operation now; none when there is no such scenario any more.
    pub counted: Option<u64>,
    /// Those of the baseline; none when the scenario is new, or the whole baseline.
    pub accepted: Option<u64>,
}

impl Row {
    /// Whether it is beyond the tolerance and costs more.
    pub fn is_more(&self) -> bool {
        matches!((self.counted, self.accepted), (Some(counted), Some(accepted)) if counted > accepted)
            && !self.is_as_before()
    }

    fn is_as_before(&self) -> bool {
        let (Some(counted), Some(accepted)) = (self.counted, self.accepted) else { return false };
        counted.abs_diff(accepted) * 100 <= accepted * TOLERANCE_PERCENT
    }

    /// In percent, with a sign.
    fn change(&self) -> Option<f64> {
        let (counted, accepted) = (self.counted? as f64, self.accepted? as f64);
        Some((counted - accepted) / accepted * 100.0)
    }
}

/// The scenarios with their counts beside the baseline's section, then those of the baseline that are `wanted` and not played
/// any more.
pub fn compare(
    scenarios: &[Scenario],
    counts: &[u64],
    section: Option<&Section>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<Row> {
    let accepted = |name: &str| section.and_then(|section| section.counts.get(name).copied());
    let played = scenarios.iter().zip(counts).map(|(Scenario { name, operation }, count)| Row {
        name: name.clone(),
        operation: operation.clone(),
        counted: Some(*count),
        accepted: accepted(name),
    });
    let is_played = |name: &str| scenarios.iter().any(|scenario| scenario.name == name);
    let gone = section.into_iter().flat_map(|section| &section.counts).filter(|(name, _)| !is_played(name));
    let gone = gone.filter(|(name, _)| wanted(name)).map(|(name, count)| Row {
        name: name.clone(),
        operation: String::new(),
        counted: None,
        accepted: Some(*count),
    });
    played.chain(gone).collect()
}

/// A line for each.
pub fn table(rows: &[Row]) -> String {
    let mut table = format!("{:<28}{:>10}{:>10}{:>9}  per\n", "", "now", "baseline", "");
    let number = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), grouped);
    for row in rows {
        let change = row.change().map(|change| format!("{change:+.1} %")).unwrap_or_default();
        let (now, then) = (number(row.counted), number(row.accepted));
        table.push_str(&format!("{:<28}{now:>10}{then:>10}{change:>9}  {}\n", row.name, row.operation));
    }
    table
}

/// What is not as it was, a line for each; none when all is.
pub fn complaint(rows: &[Row]) -> Option<String> {
    let changed: Vec<_> = rows.iter().filter(|row| !row.is_as_before()).map(sentence).collect();
    let head = format!("{} of {} counts are not as they were:\n", changed.len(), rows.len());
    (!changed.is_empty()).then(|| head + &changed.concat())
}

fn sentence(Row { name, operation, counted, accepted }: &Row) -> String {
    match (*counted, *accepted) {
        (Some(counted), Some(accepted)) => {
            let percent = counted.abs_diff(accepted) as f64 / accepted as f64 * 100.0;
            let direction = if counted > accepted { "more" } else { "less" };
            let (counted, accepted) = (grouped(counted), grouped(accepted));
            format!("  {name}: {counted} per {operation}, {percent:.1} % {direction} than {accepted}\n")
        }
        (Some(counted), None) => {
            format!("  {name}: {} per {operation}, and new to the baseline\n", grouped(counted))
        }
        (None, _) => format!("  {name}: only in the baseline, there is no such scenario\n"),
    }
}

/// With a comma before each group of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(counted: &[(&str, u64)], accepted: &[(&str, u64)]) -> Vec<Row> {
        let scenario =
            |(name, _): &(&str, u64)| Scenario { name: (*name).to_owned(), operation: "ack".to_owned() };
        let scenarios: Vec<_> = counted.iter().map(scenario).collect();
        let counts: Vec<_> = counted.iter().map(|(_, count)| *count).collect();
        let accepted = accepted.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let section = Section { counts: accepted, ..Section::default() };
        compare(&scenarios, &counts, Some(&section), |name| name != "unwanted")
    }

    fn verdict(counted: u64) -> Option<String> {
        complaint(&rows(&[("echo", counted)], &[("echo", 10_000)]))
    }

    #[test]
    fn within_three_percent_all_is_as_before() {
        for counted in [9_700, 10_000, 10_300] {
            assert_eq!(verdict(counted), None, "{counted}");
        }
    }

    #[test]
    fn more_is_refused_and_says_how_much() {
        let complaint = verdict(10_301).expect("is more");
        assert_eq!(
            complaint,
            "1 of 1 counts are not as they were:\n  echo: 10,301 per ack, 3.0 % more than 10,000\n"
        );
        assert!(rows(&[("echo", 10_301)], &[("echo", 10_000)])[0].is_more());
    }

    #[test]
    fn less_is_refused_too_so_that_the_baseline_follows() {
        let complaint = verdict(5_000).expect("is less");
        assert!(complaint.ends_with("  echo: 5,000 per ack, 50.0 % less than 10,000\n"), "{complaint}");
        assert!(!rows(&[("echo", 5_000)], &[("echo", 10_000)])[0].is_more());
    }

    #[test]
    fn a_new_scenario_and_one_that_is_gone_are_refused() {
        let rows = rows(&[("new", 12)], &[("gone", 7), ("unwanted", 7)]);
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["new", "gone"]);
        assert_eq!(
            complaint(&rows).expect("both are wrong"),
            "2 of 2 counts are not as they were:\n  new: 12 per ack, and new to the baseline\n  \
             gone: only in the baseline, there is no such scenario\n"
        );
        assert!(!rows.iter().any(Row::is_more));
    }

    #[test]
    fn without_a_section_all_are_new() {
        let scenario = Scenario { name: "echo".into(), operation: "ack".into() };
        let rows = compare(&[scenario], &[1], None, |_| true);
        assert_eq!((rows[0].counted, rows[0].accepted), (Some(1), None));
    }

    #[test]
    fn the_table_shows_both_and_the_change() {
        let table = table(&rows(&[("echo", 1_234_567), ("new", 1)], &[("echo", 1_000_000)]));
        let lines: Vec<_> =
            table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines, ["now baseline per", "echo 1,234,567 1,000,000 +23.5 % ack", "new 1 - ack"]);
    }

    #[test]
    fn digits_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(grouped(number), text);
        }
    }
}
