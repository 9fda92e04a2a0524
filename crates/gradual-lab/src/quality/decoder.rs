//! What is looked at in a decoder, layer by layer.

use gradual::grad::Part::{Gradients, Inputs, OutputGradients};
use gradual::group::Similarity;

use super::cut::Cut;
use super::look::{KRONECKER, Layers, Look, RAW, WHITE};

/// The weights of the decoder one by one, from its inputs on.
///
/// Embedding and read-out are one weight, whose gradient is the sum over both uses. The positions
/// show what reaches the embedding, the last norm what reaches the read-out.
fn weights(blocks: usize) -> Vec<Layers> {
    let mut weights = vec![
        Layers::of("embedding and read-out", ["embedding.weight".to_owned()]),
        Layers::of("positions", ["positions".to_owned()]),
    ];
    for block in 0..blocks {
        for weight in ["query", "key", "value", "output"] {
            let path = format!("blocks.{block}.attention.{weight}.weight");
            weights.push(Layers::of(format!("{weight} {}", block + 1), [path]));
        }
        for weight in ["up", "down"] {
            let path = format!("blocks.{block}.{weight}.weight");
            weights.push(Layers::of(format!("{weight} {}", block + 1), [path]));
        }
    }
    weights.push(Layers::of("last norm", ["norm.*".to_owned()]));
    weights
}

/// Weights that belong together.
fn parts(blocks: usize) -> Vec<Layers> {
    let of = |block| {
        let attention = Layers::of(
            format!("attention {}", block + 1),
            [format!("blocks.{block}.attention.*.weight")],
        );
        let forward = Layers::of(
            format!("feed-forward {}", block + 1),
            ["up", "down"].map(|weight| format!("blocks.{block}.{weight}.weight")),
        );
        [attention, forward]
    };
    (0..blocks).flat_map(of).collect()
}

/// All rows for a decoder with so many blocks: looks, and how each is cut.
pub(super) fn rows(blocks: usize) -> Vec<(Look, Vec<Cut>)> {
    use Similarity::{Angular, Squared};
    let squared = || vec![Cut::Spectral(Squared)];
    let whitened = || {
        vec![
            Cut::Spectral(Squared),
            Cut::Spectral(Angular),
            Cut::Singular,
            Cut::Eigengap,
            Cut::Diffusion,
        ]
    };
    let raw = vec![Cut::KMeans, Cut::Spectral(Squared), Cut::Singular];
    let mut rows = Vec::new();
    for layers in weights(blocks).into_iter().chain([Layers::all()]) {
        let look = |whitening| Look::new(whitening, Gradients, &layers);
        rows.push((look(RAW), raw.clone()));
        rows.push((look(WHITE), whitened()));
        rows.push((look(KRONECKER), whitened()));
    }
    for layers in parts(blocks) {
        for whitening in [WHITE, KRONECKER] {
            rows.push((Look::new(whitening, Gradients, &layers), squared()));
        }
    }
    let sides = |layers: &Layers| layers.globs[0].starts_with("blocks");
    for layers in weights(blocks).iter().filter(|layers| sides(layers)) {
        // Query, key and value have the same inputs.
        let same = ["key", "value"]
            .iter()
            .any(|name| layers.name.starts_with(name));
        for whitening in [WHITE, KRONECKER] {
            if !same {
                rows.push((Look::new(whitening, Inputs, layers), squared()));
            }
            rows.push((Look::new(whitening, OutputGradients, layers), squared()));
        }
    }
    rows
}

/// Whether the rules for the number of groups are asked about a look.
pub(super) fn is_estimated(look: &Look) -> bool {
    look.whitening != RAW && look.part == Gradients
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use gradual::grad::trace;
    use gradual::train::Task as _;
    use gradual_tasks::{Skills as Task, SkillsConfig};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_weight_is_there_and_every_row_has_a_name_of_its_own() {
        let config = SkillsConfig {
            width: 8,
            hidden: 8,
            layers: 2,
            ..SkillsConfig::default()
        };
        let task = Task::new(&config, 0).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let model = task.model(&mut random, &Device::flex().autodiff());
        let drawn = task.draw(12, &mut random, &Device::flex()).unwrap();
        let traced = trace(&model, |m| task.losses(m, &drawn.batch)).unwrap();
        let mut names = Vec::new();
        for (look, cuts) in rows(2) {
            let mut metric = look.metric().unwrap();
            metric.observe(&traced.gradients).unwrap();
            let norms = metric.apply(&traced.gradients).unwrap().norms();
            assert!(norms.sum().into_scalar::<f32>() > 0.0, "{}", look.name());
            names.extend(
                cuts.iter()
                    .map(|cut| format!("{} {}", cut.name(), look.name())),
            );
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
