//! What a row of the bench is: a load, the figures that count of it, and who takes part.
//!
//! Owns how a figure is named, written with its unit, compared and judged. Which rows there are is in `rows.rs`; what
//! was measured of them is in `results.rs`.

use std::borrow::Cow;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::statistic::Summary;

/// One load, put on every contestant in turn.
pub struct Row {
    /// What one types; several rows may begin alike.
    pub name: Cow<'static, str>,
    pub what: Cow<'static, str>,
    /// The driver's mode and options, but for how long it takes.
    pub load: Cow<'static, str>,
    pub length: Length,
    /// The first is the one that the row is for.
    pub figures: &'static [Figure],
    pub contestants: &'static [Contestant],
    /// What ours is to reach of the first figure as a route of axum alone, where that has a goal of its own.
    pub axum_goal: Option<Goal>,
    /// How often each contestant is measured; more where it varies.
    pub runs: usize,
}

impl Row {
    /// What is compared with the best peer: which of ours, by which figure, and what it is to reach.
    pub fn compared(&self) -> Vec<(Contestant, &Figure, Option<Goal>)> {
        let mut all: Vec<_> =
            self.figures.iter().map(|figure| (Contestant::Encke, figure, figure.goal)).collect();
        if let (Some(figure), Some(goal)) = (self.figures.first(), self.axum_goal) {
            all.insert(1, (Contestant::Axum, figure, Some(goal)));
        }
        all
    }

    /// About how long each contestant takes once, one after the other.
    pub fn estimate(&self, contestants: &[Contestant], seconds: Option<f64>) -> Duration {
        let length = self.length.with_seconds(seconds);
        contestants.iter().map(|&contestant| length.estimate(contestant)).sum()
    }
}

/// How long one run takes.
#[derive(Clone, Copy)]
pub enum Length {
    /// So many seconds are measured, and about so many more pass before and after, without the contestant's warming up.
    Measured { seconds: f64, around: f64 },
    /// As long as the load itself takes: about so many seconds.
    OfTheLoad { about: f64 },
}

impl Length {
    /// About how long one run takes from the server's start to its end.
    fn estimate(self, contestant: Contestant) -> Duration {
        Duration::from_secs_f64(match self {
            Self::Measured { seconds, around } => seconds + around + contestant.warm_up(),
            Self::OfTheLoad { about } => about,
        })
    }

    /// With so many seconds measured, where that can be chosen.
    pub fn with_seconds(self, chosen: Option<f64>) -> Self {
        match (self, chosen) {
            (Self::Measured { around, .. }, Some(seconds)) => Self::Measured { seconds, around },
            (length, _) => length,
        }
    }

    /// What tells the driver.
    pub fn arguments(self, contestant: Contestant) -> Vec<String> {
        match self {
            Self::Measured { seconds, .. } => {
                let (seconds, warm_up) = (seconds.to_string(), contestant.warm_up().to_string());
                ["--warmup", &warm_up, "--secs", &seconds].map(str::to_owned).into()
            }
            Self::OfTheLoad { .. } => Vec::new(),
        }
    }
}

/// One value of the driver's that counts.
pub struct Figure {
    /// The driver's key.
    pub key: &'static str,
    pub name: &'static str,
    pub unit: Unit,
    pub better: Better,
    pub goal: Option<Goal>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    Smaller,
    Larger,
}

/// What we want to reach, and what the best peer took where that was decided. Machines differ: what has to be reached
/// anywhere is the ratio of the two.
#[derive(Clone, Copy)]
pub struct Goal {
    pub ours: f64,
    pub best_peer: f64,
}

impl Figure {
    /// How many times better `ours` is than `theirs`: above one we are.
    pub fn ratio(&self, ours: f64, theirs: f64) -> f64 {
        match self.better {
            Better::Smaller => theirs / ours,
            Better::Larger => ours / theirs,
        }
    }

    /// The better of two.
    pub fn best(&self, one: f64, other: f64) -> f64 {
        match self.better {
            Better::Smaller => one.min(other),
            Better::Larger => one.max(other),
        }
    }

    /// The ratio to the best peer that a goal asks for.
    pub fn wanted_ratio(&self, goal: Goal) -> f64 {
        self.ratio(goal.ours, goal.best_peer)
    }
}

/// What a figure counts, as the driver says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Microseconds,
    PerSecond,
    Bytes,
    /// What is counted says the figure's name.
    Number,
}

impl Unit {
    /// With three significant digits and the prefix that suits the size.
    pub fn show(self, value: f64) -> String {
        let (size, name) = self.prefix(value);
        format!("{} {name}", three_digits(value / size)).trim_end().to_owned()
    }

    /// For a tick: without zeros at the end.
    fn show_round(self, value: f64) -> String {
        let (size, name) = self.prefix(value);
        let digits = three_digits(value / size);
        let short =
            if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { &digits };
        format!("{short} {name}").trim_end().to_owned()
    }

    /// What writes values of it beside ticks.
    pub fn label(self) -> fn(f64) -> String {
        match self {
            Self::Microseconds => |value| Self::Microseconds.show_round(value),
            Self::PerSecond => |value| Self::PerSecond.show_round(value),
            Self::Bytes => |value| Self::Bytes.show_round(value),
            Self::Number => |value| Self::Number.show_round(value),
        }
    }

    /// The median and, if it is not the only value, the smallest and the largest, all with the same prefix.
    pub fn show_range(self, Summary { median, smallest, largest }: Summary) -> String {
        let (size, _) = self.prefix(median);
        let [low, high] = [smallest, largest].map(|value| three_digits(value / size));
        let range = if smallest < largest { format!(" ({low}–{high})") } else { String::new() };
        format!("{}{range}", self.show(median))
    }

    /// What a value of this size is divided by, and the unit's name with that prefix.
    fn prefix(self, value: f64) -> (f64, &'static str) {
        let prefixes = match self {
            Self::Microseconds => [(1e6, "s"), (1e3, "ms"), (1.0, "µs")],
            Self::PerSecond => [(1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")],
            Self::Bytes => [(1e6, "MB"), (1e3, "kB"), (1.0, "B")],
            Self::Number => [(1.0, ""); 3],
        };
        // What rounds to a thousand has the next prefix.
        let fits = |&(size, _): &(f64, &str)| value.abs() >= size * 0.9995;
        prefixes.into_iter().find(fits).unwrap_or(prefixes[2])
    }
}

/// A number with three significant digits, and none after the point from a hundred on.
pub fn three_digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(better: Better) -> Figure {
        Figure { key: "key", name: "figure", unit: Unit::Microseconds, better, goal: None }
    }

    #[test]
    fn a_ratio_above_one_is_ours_whichever_way_is_better() {
        assert_eq!(figure(Better::Smaller).ratio(2.0, 6.0), 3.0);
        assert_eq!(figure(Better::Larger).ratio(6.0, 2.0), 3.0);
        assert_eq!(figure(Better::Smaller).best(2.0, 6.0), 2.0);
        assert_eq!(figure(Better::Larger).best(2.0, 6.0), 6.0);
    }

    #[test]
    fn a_goal_is_the_ratio_that_it_had_where_it_was_set() {
        let goal = Goal { ours: 4.0, best_peer: 6.0 };
        assert_eq!(figure(Better::Smaller).wanted_ratio(goal), 1.5);
        assert_eq!(figure(Better::Larger).wanted_ratio(Goal { ours: 6.0, best_peer: 4.0 }), 1.5);
    }

    #[test]
    fn values_are_written_with_three_digits_and_a_prefix() {
        assert_eq!(Unit::Microseconds.show(4.014), "4.01 µs");
        assert_eq!(Unit::Microseconds.show(103_000.0), "103 ms");
        assert_eq!(Unit::Microseconds.show(999.96), "1.00 ms");
        assert_eq!(Unit::PerSecond.show(11_700_000.0), "11.7 M/s");
        assert_eq!(Unit::PerSecond.show(183.2), "183 /s");
        assert_eq!(Unit::Bytes.show(2_153.0), "2.15 kB");
        assert_eq!(Unit::Bytes.show(0.0), "0.00 B");
        assert_eq!(Unit::PerSecond.show_round(200_000.0), "200 k/s");
        assert_eq!(Unit::Microseconds.show_round(0.5), "0.5 µs");
        assert_eq!(Unit::Bytes.show_round(0.0), "0 B");
        assert_eq!(Unit::Number.show(1_234.5), "1234");
    }

    #[test]
    fn a_range_has_the_prefix_of_the_median() {
        let range = Summary { median: 1_100.0, smallest: 940.0, largest: 12_000.0 };
        assert_eq!(Unit::Microseconds.show_range(range), "1.10 ms (0.94–12.0)");
        let alone = Summary { median: 7.0, smallest: 7.0, largest: 7.0 };
        assert_eq!(Unit::Bytes.show_range(alone), "7.00 B");
    }

    #[test]
    fn only_what_is_measured_for_a_time_can_be_made_shorter() {
        let chosen = Length::Measured { seconds: 2.0, around: 1.0 }.with_seconds(Some(0.5));
        assert_eq!(chosen.arguments(Contestant::Encke), ["--warmup", "0.5", "--secs", "0.5"]);
        assert_eq!(chosen.arguments(Contestant::Node), ["--warmup", "2.5", "--secs", "0.5"]);
        assert_eq!(chosen.estimate(Contestant::Encke), Duration::from_secs(2));
        let held = Length::OfTheLoad { about: 6.0 }.with_seconds(Some(0.5));
        assert!(held.arguments(Contestant::Node).is_empty());
        assert_eq!(held.estimate(Contestant::Node), Duration::from_secs(6));
    }
}
