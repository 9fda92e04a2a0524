//! What is looked at in a multilayer perceptron, layer by layer.

use gradual::grad::Part::{Gradients, Inputs, OutputGradients};
use gradual::group::{Sign, Similarity};

use super::cut::Cut;
use super::look::{KRONECKER, Layers, Look, RAW, WHITE};

/// The weight of one layer of a model with `hidden` hidden layers.
fn layer(index: usize, hidden: usize) -> Layers {
    let name = match index {
        0 => "first layer".to_owned(),
        _ if index == hidden => "last layer".to_owned(),
        _ => format!("layer {}", index + 1),
    };
    Layers::of(name, [format!("layers.{index}.weight")])
}

/// Whether the rules for the number of groups are asked about a look: at whitened gradients of the first layer.
pub(super) fn is_estimated(look: &Look, hidden: usize) -> bool {
    *look == Look::new(WHITE, Gradients, &layer(0, hidden))
}

/// All rows for a model with `hidden` hidden layers: looks, and how each is cut.
pub(super) fn rows(hidden: usize) -> Vec<(Look, Vec<Cut>)> {
    use Similarity::{Angular, Squared};
    let all = Layers::all();
    let first = layer(0, hidden);
    let every = vec![
        Cut::KMeans,
        Cut::Spherical(Sign::Ignored),
        Cut::Spectral(Squared),
        Cut::Spectral(Angular),
        Cut::Singular,
    ];
    let unknown = [Cut::Eigengap, Cut::Density, Cut::Diffusion];
    let also = |cuts: &[Cut], more: &[Cut]| [cuts, more].concat();
    let best = |whitening, part, layers: &Layers| {
        let look = Look::new(whitening, part, layers);
        (look, vec![Cut::Spectral(Squared)])
    };
    let mut rows = vec![
        (
            Look::new(RAW, Gradients, &all),
            vec![Cut::KMeans, Cut::Singular],
        ),
        (Look::new(RAW, Gradients, &first), every.clone()),
        (Look::new(WHITE, Gradients, &first), also(&every, &unknown)),
        best(KRONECKER, Gradients, &first),
        best(KRONECKER, OutputGradients, &first),
        best(WHITE, Gradients, &all),
        (
            Look::new(RAW, Inputs, &first),
            also(&[Cut::KMeans, Cut::Spectral(Squared)], &unknown),
        ),
        (
            Look::new(WHITE, Inputs, &first),
            also(&[Cut::KMeans, Cut::Spectral(Squared)], &unknown),
        ),
        best(WHITE, OutputGradients, &first),
    ];
    // The inputs of a later layer are the activations of the one before. The output-gradient of the
    // last is one number, so that its inputs have the squared cosines of its gradients.
    for index in 1..=hidden {
        let layer = layer(index, hidden);
        let (look, cuts) = best(WHITE, Gradients, &layer);
        rows.push((look, also(&cuts, &[Cut::Eigengap, Cut::Diffusion])));
        if index < hidden {
            rows.push(best(WHITE, Inputs, &layer));
            rows.push(best(WHITE, OutputGradients, &layer));
            rows.push(best(KRONECKER, Gradients, &layer));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own() {
        for hidden in [1, 3] {
            let rows = rows(hidden);
            let name = |look: &Look, cut: &Cut| format!("{} {}", cut.name(), look.name());
            let names: Vec<String> = rows
                .iter()
                .flat_map(|(look, cuts)| cuts.iter().map(move |cut| name(look, cut)))
                .collect();
            let mut distinct = names.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), names.len(), "{names:?}");
            assert!((12..=60).contains(&names.len()), "{}", names.len());
            let first = Look::new(WHITE, Gradients, &layer(0, hidden));
            assert!(rows.iter().any(|row| row.0 == first));
        }
    }
}
