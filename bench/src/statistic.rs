//! What several runs say together.
//!
//! Must not know what was measured.

/// What several runs say of one figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Summary {
    pub median: f64,
    pub smallest: f64,
    pub largest: f64,
}

impl Summary {
    /// Of at least one value; of an even number of them the median lies between the two in the middle.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (smallest, largest) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let lower = if sorted.len().is_multiple_of(2) { middle - 1 } else { middle };
        Some(Self { median: f64::midpoint(sorted[lower], sorted[middle]), smallest, largest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle_or_between_the_two_that_are() {
        let median = |values: &[f64]| Summary::of(values).map(|summary| summary.median);
        assert_eq!(median(&[3.0, 1.0, 100.0]), Some(3.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
        let all = Summary { median: 3.0, smallest: 1.0, largest: 100.0 };
        assert_eq!(Summary::of(&[3.0, 1.0, 100.0]), Some(all));
    }
}
