//! From values to places on an axis, and where its ticks are.
//!
//! Owns the choosing of ends and ticks that people can read. Must not draw.

/// How an axis is marked. Each grows by factors.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scale {
    /// Ticks at one, two and five of each power of ten.
    Log10,
    /// Ticks at powers of four, for what is counted in powers of two.
    Log4,
}

/// An axis with its ends and ticks.
#[derive(PartialEq, Debug)]
pub struct Ruler {
    low: f64,
    high: f64,
    /// Ascending.
    pub ticks: Vec<Tick>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tick {
    pub value: f64,
    /// Whether its value is written beside it: where many are close together only some are.
    pub labelled: bool,
}

/// Beyond so many powers of ten only these have their value written beside them.
const CLOSE: f64 = 2.0;

impl Scale {
    /// Whether a value has a place: nothing is no factor of anything.
    pub fn has_place_for(self, value: f64) -> bool {
        value.is_finite() && value > 0.0
    }

    /// An axis for these values, and for no others.
    pub fn ruler(self, values: impl IntoIterator<Item = f64>) -> Ruler {
        let values: Vec<_> = values.into_iter().filter(|&value| self.has_place_for(value)).collect();
        let smallest = values.iter().copied().reduce(f64::min).unwrap_or(1.0);
        let largest = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
        match self {
            Self::Log10 => ruler(&candidates(smallest, largest, 10.0, &[1.0, 2.0, 5.0]), is_power_of_ten),
            Self::Log4 => ruler(&candidates(smallest, largest, 4.0, &[1.0]), |_| true),
        }
    }
}

impl Ruler {
    /// Where a value lies: 0 at the low end, 1 at the high one.
    pub fn place(&self, value: f64) -> f64 {
        (value / self.low).ln() / (self.high / self.low).ln()
    }
}

/// From the first tick to the last, of which there are two at least.
fn ruler(ticks: &[f64], is_main: impl Fn(f64) -> bool) -> Ruler {
    let (low, high) = (ticks[0], ticks[ticks.len() - 1]);
    let few = (high / low).log10() <= CLOSE;
    let ticks = ticks.iter().map(|&value| Tick { value, labelled: few || is_main(value) }).collect();
    Ruler { low, high, ticks }
}

/// Multiples of powers of `base` from the last that is not above `smallest` to the first that is not below `largest`;
/// two at least.
fn candidates(smallest: f64, largest: f64, base: f64, multiples: &[f64]) -> Vec<f64> {
    // A value that is a tick itself must not be missed for an error in its last digit.
    const SLACK: f64 = 1e-9;
    let first = smallest.log(base).floor() as i32 - 1;
    let last = largest.log(base).ceil() as i32 + 1;
    let power = |exponent| multiples.iter().map(move |multiple| multiple * base.powi(exponent));
    let all: Vec<f64> = (first..=last).flat_map(power).collect();
    let from = all.iter().rposition(|&tick| tick <= smallest * (1.0 + SLACK)).unwrap_or(0);
    let to = all.iter().position(|&tick| tick >= largest * (1.0 - SLACK)).unwrap_or(all.len() - 1);
    all[from..=to.max(from + 1)].to_vec()
}

fn is_power_of_ten(value: f64) -> bool {
    let exponent = value.log10();
    (exponent - exponent.round()).abs() < 1e-6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(ruler: &Ruler) -> Vec<f64> {
        ruler.ticks.iter().map(|tick| (tick.value * 1e6).round() / 1e6).collect()
    }

    fn labelled(ruler: &Ruler) -> Vec<f64> {
        ruler.ticks.iter().filter(|tick| tick.labelled).map(|tick| (tick.value * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn an_axis_by_factors_begins_and_ends_at_ticks_around_its_values() {
        let ruler = Scale::Log10.ruler([4.1, 11.4, 6.6]);
        assert_eq!(ticks(&ruler), [2.0, 5.0, 10.0, 20.0]);
        assert_eq!(labelled(&ruler), ticks(&ruler));
        assert_eq!(ruler.place(2.0), 0.0);
        assert!((ruler.place(20.0) - 1.0).abs() < 1e-12);
        assert!((ruler.place(40f64.sqrt()) - 0.5).abs() < 1e-12, "the middle is the mean by factors");
    }

    #[test]
    fn a_value_at_a_tick_needs_none_beyond_it() {
        assert_eq!(ticks(&Scale::Log10.ruler([100.0, 1_000.0])), [100.0, 200.0, 500.0, 1_000.0]);
        let payloads = Scale::Log4.ruler([16.0, 262_144.0]);
        assert_eq!(ticks(&payloads), [16.0, 64.0, 256.0, 1_024.0, 4_096.0, 16_384.0, 65_536.0, 262_144.0]);
        assert_eq!(labelled(&payloads).len(), 8);
    }

    #[test]
    fn over_many_powers_of_ten_only_these_are_labelled() {
        let ruler = Scale::Log10.ruler([10.0, 100_000.0]);
        assert_eq!(labelled(&ruler), [10.0, 100.0, 1_000.0, 10_000.0, 100_000.0]);
        assert_eq!(ticks(&ruler).len(), 13);
    }

    #[test]
    fn nothing_and_one_value_make_an_axis_too() {
        for ruler in [Scale::Log10.ruler([]), Scale::Log4.ruler([64.0]), Scale::Log10.ruler([f64::NAN, -1.0])]
        {
            assert!(ruler.ticks.len() >= 2, "{ruler:?}");
            assert!(ruler.place(64.0).is_finite());
        }
        assert!(!Scale::Log10.has_place_for(0.0));
    }
}
