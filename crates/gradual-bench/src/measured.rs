//! What comes out of a measurement, and how two compare.

use serde::{Deserialize, Serialize};

/// The result of one method (ours) or peer (theirs) on one case.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    #[serde(alias = "peer")]
    pub(crate) method: String,
    pub(crate) model: String,
    pub(crate) draw: usize,
    #[serde(default)]
    pub(crate) ours: bool,
    /// One for each repetition.
    #[serde(default)]
    pub(crate) seconds: Vec<f64>,
    #[serde(default)]
    pub(crate) peak_memory_bytes: Option<u64>,
    #[serde(default)]
    pub(crate) start_memory_bytes: Option<u64>,
    /// Why there is no result.
    #[serde(default)]
    pub(crate) skipped: Option<String>,
}

impl Measured {
    pub(crate) fn side(&self) -> &'static str {
        if self.ours { "gradual" } else { "peer" }
    }

    /// Median of the seconds.
    pub(crate) fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The repetition that stands at the share `at` of the sorted ones.
    pub(crate) fn quantile(&self, at: f64) -> Option<f64> {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(sorted[(last as f64 * at).round() as usize])
    }

    /// Bytes above what the process had before the first step.
    pub(crate) fn memory(&self) -> Option<f64> {
        let above = self
            .peak_memory_bytes?
            .saturating_sub(self.start_memory_bytes?);
        Some(above as f64)
    }

    /// How many times the memory of `other`.
    pub(crate) fn memory_ratio(&self, other: &Self) -> Option<f64> {
        let other = other.memory().filter(|&bytes| bytes > 0.0)?;
        Some(self.memory()? / other)
    }

    /// How many times the seconds of `other`: the median over rounds where both ran in the same rounds.
    pub(crate) fn ratio(&self, other: &Self) -> Option<f64> {
        if self.ours && other.ours {
            return self.by_round(other, |own, other| own / other);
        }
        Some(self.median()? / other.median()?)
    }

    /// Seconds above those of `other`, of the same rounds: median.
    pub(crate) fn surplus(&self, other: &Self) -> Option<f64> {
        self.by_round(other, |own, other| own - other)
    }

    fn by_round(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Option<f64> {
        let pairs = self.seconds.iter().zip(&other.seconds);
        let pairs = Self {
            seconds: pairs.map(|(&own, &other)| f(own, other)).collect(),
            ..Self::default()
        };
        pairs.median()
    }

    /// Adds the repetitions of a later turn of the same method; of the peaks the larger stays. A turn that
    /// was skipped adds nothing.
    pub(crate) fn join(&mut self, later: Self) {
        if later.skipped.is_some() {
            return;
        }
        if self.skipped.is_some() {
            *self = later;
            return;
        }
        self.seconds.extend(&later.seconds);
        if later.memory() > self.memory() {
            self.peak_memory_bytes = later.peak_memory_bytes;
            self.start_memory_bytes = later.start_memory_bytes;
        }
    }
}

/// The result of a method on a (model, draw).
pub(crate) fn find<'a>(
    all: &'a [Measured],
    model: &str,
    draw: usize,
    method: &str,
    ours: bool,
) -> Option<&'a Measured> {
    all.iter()
        .find(|m| m.model == model && m.draw == draw && m.method == method && m.ours == ours)
}

/// The fastest peer that takes per-example gradients with a library.
pub(crate) fn best_peer<'a>(all: &'a [Measured], model: &str, draw: usize) -> Option<&'a Measured> {
    let peers = all
        .iter()
        .filter(|m| !m.ours && m.model == model && m.draw == draw);
    let libraries = peers.filter(|m| m.method != "ordinary" && m.method != "ghost");
    let timed = libraries.filter_map(|m| Some((m, m.median()?)));
    timed
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(best, _)| best)
}

/// A result of ours or of a peer on the MLP at draw 128, with a memory of 3 and a start of 1 MiB times
/// `scale`: for tests.
#[cfg(test)]
pub(crate) fn sample(ours: bool, method: &str, seconds: &[f64], scale: u64) -> Measured {
    Measured {
        method: method.into(),
        model: "mlp".into(),
        draw: 128,
        ours,
        seconds: seconds.to_vec(),
        peak_memory_bytes: Some((scale * 3) << 20),
        start_memory_bytes: Some(scale << 20),
        skipped: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_ratios_and_memory() {
        let ordinary = sample(true, "ordinary", &[1.0, 2.0, 4.0], 1);
        let exact = sample(true, "exact", &[3.0, 2.0, 8.0], 2);
        assert_eq!(exact.median(), Some(3.0));
        // By round: 3, 1, 2; and 2, 0, 4.
        assert_eq!(exact.ratio(&ordinary), Some(2.0));
        assert_eq!(exact.surplus(&ordinary), Some(2.0));
        let peer = sample(false, "vmap", &[8.0], 1);
        assert_eq!(peer.ratio(&ordinary), Some(4.0));
        assert_eq!(exact.memory(), Some(4.0 * 1048576.0));
        assert_eq!(Measured::default().median(), None);
    }

    #[test]
    fn the_best_peer_is_a_library() {
        let all = [
            sample(false, "ghost", &[0.001], 1),
            sample(false, "vmap", &[0.08, 0.06, 0.07], 8),
            sample(false, "jax", &[], 1),
            sample(true, "exact", &[0.004, 0.009], 2),
        ];
        assert_eq!(best_peer(&all, "mlp", 128).unwrap().method, "vmap");
        assert!(best_peer(&all, "mlp", 64).is_none());
    }

    #[test]
    fn turns_are_joined_and_a_skipped_one_adds_nothing() {
        let skipped = Measured {
            skipped: Some("too large".into()),
            ..sample(false, "vmap", &[], 9)
        };
        let mut first = sample(false, "vmap", &[1.0, 2.0], 1);
        first.join(sample(false, "vmap", &[3.0], 2));
        first.join(skipped.clone());
        assert_eq!(first.seconds, [1.0, 2.0, 3.0]);
        assert_eq!(first.memory(), Some(4.0 * 1048576.0));
        let mut late = skipped;
        late.join(sample(false, "vmap", &[3.0], 1));
        assert_eq!((late.seconds, late.skipped), (vec![3.0], None));
    }
}
