//! How long something took, in classes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Exposition;

/// The upper limits of the classes, in microseconds; what takes longer than the last is in one of its own.
const LIMITS: [u64; 15] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000,
    60_000_000,
];

/// How long something took, in classes.
#[derive(Debug, Default)]
pub struct Histogram {
    /// How many were in each class, not counting those below it.
    classes: [AtomicU64; LIMITS.len()],
    longer: AtomicU64,
    microseconds: AtomicU64,
}

impl Histogram {
    /// It took so long once.
    pub fn observe(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let class = LIMITS.partition_point(|&limit| limit < time);
        self.classes.get(class).unwrap_or(&self.longer).fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(time, Ordering::Relaxed);
    }

    /// Writes the samples of the family that was begun last.
    pub fn write(&self, exposition: &mut Exposition) {
        let mut count = 0;
        for (class, limit) in self.classes.iter().zip(LIMITS) {
            count += class.load(Ordering::Relaxed);
            let limit = format!("{:?}", seconds(limit));
            exposition.sample_named("_bucket", &[("le", &limit)], count);
        }
        count += self.longer.load(Ordering::Relaxed);
        exposition.sample_named("_bucket", &[("le", "+Inf")], count);
        exposition.sample_named("_sum", &[], seconds(self.microseconds.load(Ordering::Relaxed)));
        exposition.sample_named("_count", &[], count);
    }
}

fn seconds(microseconds: u64) -> f64 {
    Duration::from_micros(microseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Kind;

    #[test]
    fn each_class_counts_those_below_it_too() {
        let histogram = Histogram::default();
        for time in [0, 250, 251, 60_000_000, 60_000_001] {
            histogram.observe(Duration::from_micros(time));
        }
        let mut exposition = Exposition::default();
        histogram.write(exposition.family("x_seconds", Kind::Histogram, "X."));
        let text = exposition.finish();
        for line in [
            "x_seconds_bucket{le=\"0.00025\"} 2\n",
            "x_seconds_bucket{le=\"0.0005\"} 3\n",
            "x_seconds_bucket{le=\"10.0\"} 3\n",
            "x_seconds_bucket{le=\"60.0\"} 4\n",
            "x_seconds_bucket{le=\"+Inf\"} 5\nx_seconds_sum 120.000502\nx_seconds_count 5\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
