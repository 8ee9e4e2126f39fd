//! Whether two samples of durations can be told apart, in numbers that people know.

use std::time::Duration;

/// Durations, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1e6);
    }

    fn size(&self) -> f64 {
        count(self.0.len())
    }

    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.size()
    }

    /// Variance of the mean.
    fn variance_of_mean(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (self.size() - 1.0) / self.size()
    }

    fn quantile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[(sorted.len() - 1) * percent / 100]
    }

    /// Every other one, for comparing the sample with itself.
    fn halves(&self) -> [Self; 2] {
        [0, 1].map(|first| Self(self.0.iter().skip(first).step_by(2).copied().collect()))
    }
}

fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).expect("a small sample"))
}

/// How often a value of the first is larger than one of the second, ties counting half: 0.5 where they can't be told
/// apart. It is Mann and Whitney's U in parts of all pairs.
pub(crate) fn larger(first: &Sample, second: &Sample) -> f64 {
    let mut all: Vec<_> = first.0.iter().map(|value| (*value, true)).collect();
    all.extend(second.0.iter().map(|value| (*value, false)));
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut ranks, mut at) = (0.0, 0);
    for tied in all.chunk_by(|one, other| one.0 == other.0) {
        let rank = count(at) + (count(tied.len()) + 1.0) / 2.0;
        ranks += rank * count(tied.iter().filter(|(_, of_first)| *of_first).count());
        at += tied.len();
    }
    let (n, m) = (first.size(), second.size());
    (ranks - n * (n + 1.0) / 2.0) / (n * m)
}

/// Half of the interval in which 95 of 100 such numbers fall for samples that don't differ.
fn expected_deviation(first: &Sample, second: &Sample) -> f64 {
    let (n, m) = (first.size(), second.size());
    1.96 * ((n + m + 1.0) / (12.0 * n * m)).sqrt()
}

/// Welch's t of the difference of the means.
pub(crate) fn welch(first: &Sample, second: &Sample) -> f64 {
    (first.mean() - second.mean()) / (first.variance_of_mean() + second.variance_of_mean()).sqrt()
}

/// What there is to say of two samples.
pub(crate) fn compared(wrong: &Sample, unknown: &Sample) -> String {
    let quantiles =
        |sample: &Sample| [10, 50, 90].map(|percent| format!("{:.0}", sample.quantile(percent))).join(" / ");
    let line = |what: &str, first: &Sample, second: &Sample| {
        let (auc, within, t) = (larger(first, second), expected_deviation(first, second), welch(first, second));
        format!("  {what}: AUC {auc:.4} (95 % of equal ones: 0.5 ± {within:.4}), Welch's t {t:+.2}")
    };
    let [odd, even] = wrong.halves();
    format!(
        "  microseconds at 10 / 50 / 90 %: wrong password {}, unknown name {}\n{}\n{}",
        quantiles(wrong),
        quantiles(unknown),
        line("wrong password against unknown name", wrong, unknown),
        line("wrong password against itself", &odd, &even),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[u64]) -> Sample {
        let mut sample = Sample::default();
        values.iter().for_each(|value| sample.push(Duration::from_micros(*value)));
        sample
    }

    #[test]
    fn what_differs_is_told_apart_and_what_does_not_is_not() {
        let (low, high) = (sample(&[1, 2, 3, 4]), sample(&[11, 12, 13, 14]));
        assert_eq!((larger(&low, &high), larger(&high, &low), larger(&low, &low)), (0.0, 1.0, 0.5));
        assert!((welch(&high, &low) - 10.954).abs() < 0.001 && welch(&low, &low).abs() < 1e-9);
        assert_eq!(larger(&sample(&[1, 2, 2, 5]), &sample(&[2, 3])), 0.375, "ties count half");
    }
}
