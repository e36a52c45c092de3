//! Many numbers as a few.

/// The middle of some numbers, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of these; not-a-number where there are none.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let sorted = Sorted::of(values);
        Self { median: sorted.share(0.5), least: sorted.share(0.0), most: sorted.share(1.0) }
    }
}

/// Numbers in their order.
#[derive(Debug)]
pub(crate) struct Sorted(Vec<f64>);

impl Sorted {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    /// The number that so large a share of them lies below; not-a-number where there are none.
    pub(crate) fn share(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let at = (0..=last).find(|at| *at as f64 >= last as f64 * share).unwrap_or(last);
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_numbers_that_were_there() {
        let sorted = Sorted::of([4.0, 1.0, 3.0, 2.0, 5.0]);
        let shares = [0.0, 0.5, 0.75, 0.99, 1.0].map(|share| sorted.share(share));
        assert_eq!(shares.map(|it| it.to_string()), ["1", "3", "4", "5", "5"]);
        assert!(Sorted::of([]).share(0.5).is_nan());
    }
}
