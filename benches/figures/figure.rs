//! A figure and its target.

/// A named figure.
pub(crate) struct Figure {
    name: &'static str,
    unit: &'static str,
    limit: Limit,
}

/// Which side of the target is good.
#[derive(Clone, Copy)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    pub(crate) fn new(name: &'static str, unit: &'static str, limit: Limit) -> Self {
        Self { name, unit, limit }
    }

    /// Prints the line.
    pub(crate) fn report(&self, measured: f64) {
        let (sign, target, good) = match self.limit {
            Limit::AtMost(target) => ("≤", target, measured <= target),
            Limit::AtLeast(target) => ("≥", target, measured >= target),
        };
        let verdict = if good { "ok" } else { "missed" };
        let digits = if target >= 1000.0 { 0 } else { 3 };
        println!("{:<48} {measured:>10.digits$} {:<10} target {sign} {target:<8} {verdict}", self.name, self.unit);
    }
}

/// The middle of some measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which this share of the measurements lies.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((sorted.len() - 1) as f64 * share) as usize;
    sorted[index]
}
