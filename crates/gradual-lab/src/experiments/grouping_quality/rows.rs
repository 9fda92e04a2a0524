//! What is compared: looks at the gradients, and ways to cut what is seen.

use gradual::grad::{GradError, Metric, Part, Whitening};
use gradual::group::SphericalKMeans;
use gradual::group::{GroupError, Sign};
use gradual::prelude::*;

/// Share of the mean diagonal entry that Kronecker whitening adds to the diagonal.
const DAMPING: f64 = 0.1;

/// A metric on one part of some layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Look {
    pub(super) whitening: Whitening,
    pub(super) part: Part,
    pub(super) layers: Layers,
}

/// Which weights are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layers {
    /// All weights and biases.
    All,
    /// The weight of one layer.
    One { layer: usize, last: usize },
}

/// A rule that cuts examples into groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cut {
    KMeans,
    Spherical(Sign),
    Spectral(Similarity),
    /// The singular direction with the largest α².
    Singular,
}

impl Look {
    fn new(whitening: Whitening, part: Part, layers: Layers) -> Self {
        Self {
            whitening,
            part,
            layers,
        }
    }

    /// Raw gradients as they come, or whitened with each weight counting alike.
    pub(super) fn metric(&self) -> Result<Metric, GradError> {
        let metric = Metric::euclidean()
            .with_whitening(self.whitening)
            .with_part(self.part)
            .balanced(self.whitening != Whitening::None);
        match self.layers {
            Layers::All => Ok(metric),
            Layers::One { layer, .. } => metric.with_layers(&[&format!("layers.{layer}.weight")]),
        }
    }

    pub(super) fn metric_name(&self) -> String {
        match self.whitening {
            Whitening::None => "raw".to_owned(),
            Whitening::Coordinates => "whitened".to_owned(),
            Whitening::Kronecker { .. } => "Kronecker".to_owned(),
        }
    }

    pub(super) fn part_name(&self) -> String {
        match self.part {
            Part::Gradients => "gradients".to_owned(),
            Part::Inputs => "inputs".to_owned(),
            Part::OutputGradients => "output-gradients".to_owned(),
        }
    }

    pub(super) fn layers_name(&self) -> String {
        match self.layers {
            Layers::All => "all layers".to_owned(),
            Layers::One { layer: 0, .. } => "first layer".to_owned(),
            Layers::One { layer, last } if layer == last => "last layer".to_owned(),
            Layers::One { layer, .. } => format!("layer {}", layer + 1),
        }
    }
}

impl Cut {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::KMeans => "k-means",
            Self::Spherical(Sign::Kept) => "spherical k-means",
            Self::Spherical(Sign::Ignored) => "sign-free k-means",
            Self::Spectral(Similarity::Squared) => "spectral C²",
            Self::Spectral(Similarity::Absolute) => "spectral |C|",
            Self::Spectral(Similarity::Angular) => "spectral angular",
            Self::Singular => "singular vectors",
        }
    }

    /// The group of each example of a draw, `[n]`, of `groups` in all.
    pub(super) fn cut(
        self,
        draw: &Draw<'_>,
        groups: usize,
        seed: u64,
    ) -> Result<Vec<Option<usize>>, GroupError> {
        let found = match self {
            Self::KMeans => KMeans::new(groups, seed)
                .with_restarts(RESTARTS)
                .group(draw)?,
            Self::Spherical(sign) => {
                let spherical = SphericalKMeans::new(groups, seed).with_restarts(RESTARTS);
                match sign {
                    Sign::Kept => spherical,
                    Sign::Ignored => spherical.sign_free(),
                }
                .group(draw)?
            }
            Self::Spectral(similarity) => Spectral::new(groups, seed)
                .with_restarts(RESTARTS)
                .with_similarity(similarity)
                .group(draw)?,
            Self::Singular => {
                let soft = SingularVectors::default()
                    .with_leading(groups)
                    .group(draw)?;
                return strongest(&soft, groups);
            }
        };
        Ok(found.assignment().map(<[_]>::to_vec).unwrap_or_default())
    }
}

/// Runs of each clustering, of which the best counts.
const RESTARTS: usize = 5;

/// The leading group that each example belongs to most; none where it belongs to none of them.
fn strongest(soft: &Groups, groups: usize) -> Result<Vec<Option<usize>>, GroupError> {
    let n = soft.examples();
    let data = soft.membership().clone().into_data().convert::<f32>();
    let membership = data
        .try_to_vec::<f32>()
        .map_err(|problem| GroupError::Read {
            operation: "singular vectors",
            problem: format!("{problem:?}"),
        })?;
    let strongest = |example: usize| {
        let of = |group: usize| membership[group * n + example];
        let best = (0..groups.min(soft.count())).max_by(|&a, &b| of(a).total_cmp(&of(b)));
        best.filter(|&group| of(group) > 0.0)
    };
    Ok((0..n).map(strongest).collect())
}

/// All rows for a model with `hidden` hidden layers: looks, and how each is cut.
pub(super) fn rows(hidden: usize) -> Vec<(Look, Vec<Cut>)> {
    use Part::{Gradients, Inputs, OutputGradients};
    use Similarity::{Angular, Squared};
    const RAW: Whitening = Whitening::None;
    const WHITE: Whitening = Whitening::Coordinates;
    let kronecker = Whitening::Kronecker { damping: DAMPING };
    let one = |layer| Layers::One {
        layer,
        last: hidden,
    };
    let every = vec![
        Cut::KMeans,
        Cut::Spherical(Sign::Ignored),
        Cut::Spectral(Squared),
        Cut::Spectral(Angular),
        Cut::Singular,
    ];
    let best = || vec![Cut::Spectral(Squared)];
    let mut rows = vec![
        (
            Look::new(RAW, Gradients, Layers::All),
            vec![Cut::KMeans, Cut::Singular],
        ),
        (Look::new(RAW, Gradients, one(0)), every.clone()),
        (Look::new(WHITE, Gradients, one(0)), every),
        (Look::new(kronecker, Gradients, one(0)), best()),
        (Look::new(kronecker, OutputGradients, one(0)), best()),
        (Look::new(WHITE, Gradients, Layers::All), best()),
        (Look::new(RAW, Inputs, one(0)), best()),
        (Look::new(WHITE, Inputs, one(0)), best()),
        (Look::new(WHITE, OutputGradients, one(0)), best()),
    ];
    // The inputs of a later layer are the activations of the one before. The output-gradient of the
    // last is one number, so that its inputs have the squared cosines of its gradients.
    for layer in 1..=hidden {
        rows.push((Look::new(WHITE, Gradients, one(layer)), best()));
        if layer < hidden {
            rows.push((Look::new(WHITE, Inputs, one(layer)), best()));
            rows.push((Look::new(WHITE, OutputGradients, one(layer)), best()));
            rows.push((Look::new(kronecker, Gradients, one(layer)), best()));
        }
    }
    rows
}

/// The look whose number of groups is estimated.
pub(super) fn first_whitened(hidden: usize) -> Look {
    let layers = Layers::One {
        layer: 0,
        last: hidden,
    };
    Look::new(Whitening::Coordinates, Part::Gradients, layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own() {
        for hidden in [1, 3] {
            let names: Vec<String> = rows(hidden)
                .iter()
                .flat_map(|(look, cuts)| {
                    let (metric, part) = (look.metric_name(), look.part_name());
                    let layers = look.layers_name();
                    cuts.iter()
                        .map(move |cut| format!("{} {metric} {part} {layers}", cut.name()))
                })
                .collect();
            let mut distinct = names.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), names.len(), "{names:?}");
            assert!((12..=30).contains(&names.len()), "{}", names.len());
            assert!(
                rows(hidden)
                    .iter()
                    .any(|row| row.0 == first_whitened(hidden))
            );
        }
    }
}
