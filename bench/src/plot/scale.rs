//! From values to places on an axis, and where its ticks are.
//!
//! Owns the choosing of ends and ticks that people can read. Must not draw.

/// How an axis grows.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scale {
    /// From zero in equal steps.
    Linear,
    /// By factors: ticks at one, two and five of each power of ten.
    Log10,
    /// By factors: ticks at powers of four, for what is counted in powers of two.
    Log4,
}

/// An axis with its ends and ticks.
#[derive(PartialEq, Debug)]
pub struct Ruler {
    scale: Scale,
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

/// About how many steps a linear axis has.
const STEPS: f64 = 5.0;

impl Scale {
    /// Whether a value has a place: a factor of nothing is none.
    pub fn has_place_for(self, value: f64) -> bool {
        value.is_finite() && (value > 0.0 || self == Self::Linear && value == 0.0)
    }

    /// An axis for these values, and for no others.
    pub fn ruler(self, values: impl IntoIterator<Item = f64>) -> Ruler {
        let values: Vec<_> = values.into_iter().filter(|&value| self.has_place_for(value)).collect();
        let smallest = values.iter().copied().reduce(f64::min).unwrap_or(1.0);
        let largest = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
        match self {
            Self::Linear => linear(largest),
            Self::Log10 => {
                let ticks = candidates(smallest, largest, 10.0, &[1.0, 2.0, 5.0]);
                self.logarithmic(ticks, is_power_of_ten)
            }
            Self::Log4 => self.logarithmic(candidates(smallest, largest, 4.0, &[1.0]), |_| true),
        }
    }

    fn logarithmic(self, ticks: Vec<f64>, is_main: impl Fn(f64) -> bool) -> Ruler {
        // There are two at least: `candidates` says so.
        let (low, high) = (ticks.first().copied().unwrap_or(1.0), ticks.last().copied().unwrap_or(10.0));
        let few = (high / low).log10() <= CLOSE;
        let ticks = ticks.into_iter().map(|value| Tick { value, labelled: few || is_main(value) }).collect();
        Ruler { scale: self, low, high, ticks }
    }
}

impl Ruler {
    /// Where a value lies: 0 at the low end, 1 at the high one.
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log10 | Scale::Log4 => (value / self.low).ln() / (self.high / self.low).ln(),
        }
    }
}

fn linear(largest: f64) -> Ruler {
    let largest = if largest > 0.0 { largest } else { 1.0 };
    let rough = largest / STEPS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|&step| step >= rough);
    let step = step.unwrap_or(rough);
    let count = (largest / step).ceil() as u32;
    let ticks: Vec<_> =
        (0..=count).map(|number| Tick { value: step * f64::from(number), labelled: true }).collect();
    Ruler { scale: Scale::Linear, low: 0.0, high: step * f64::from(count), ticks }
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
    fn a_linear_axis_begins_at_zero_and_has_round_steps() {
        let ruler = Scale::Linear.ruler([3.0, 13.2]);
        assert_eq!(ticks(&ruler), [0.0, 5.0, 10.0, 15.0]);
        assert_eq!(ruler.place(7.5), 0.5);
        assert_eq!(ticks(&Scale::Linear.ruler([0.0])), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }

    #[test]
    fn nothing_and_one_value_make_an_axis_too() {
        for ruler in [Scale::Log10.ruler([]), Scale::Log4.ruler([64.0]), Scale::Log10.ruler([f64::NAN, -1.0])]
        {
            assert!(ruler.ticks.len() >= 2, "{ruler:?}");
            assert!(ruler.place(64.0).is_finite());
        }
        assert!(!Scale::Log10.has_place_for(0.0));
        assert!(Scale::Linear.has_place_for(0.0));
    }
}
