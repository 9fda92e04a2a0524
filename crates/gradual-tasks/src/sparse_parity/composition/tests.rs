use burn::tensor::{Device, TensorData};
use gradual::train::Task;

use super::*;
use crate::sparse_parity::slow;

fn small() -> CompositionConfig {
    CompositionConfig {
        triples: 2,
        bits: 11,
        subset: 2,
        held_out: 60,
        hidden: 4,
        ..CompositionConfig::default()
    }
}

fn numbers(values: TensorData) -> Vec<f32> {
    values.try_to_vec().unwrap()
}

/// Draws and held-out examples against [`slow`], which finds out for itself what every code stands for.
#[test]
fn every_sign_is_that_of_a_set_of_bits_that_only_examples_tell() {
    let task = SparseParity::composed(&small(), 3).unwrap();
    let names: Vec<&str> = task
        .capabilities()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["x-0", "x-1", "y-0", "y-1", "z-0", "z-1", "c-0", "c-1"]
    );
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let drawn = task.draw(6_000, &mut random, &Device::flex()).unwrap();
    let (inputs, signs) = (
        numbers(drawn.batch.inputs.into_data()),
        numbers(drawn.batch.signs.into_data()),
    );
    let examples = slow::seen(&inputs, &signs, 8);
    let held = slow::seen(
        &numbers(task.held_out.inputs.clone()),
        &task.held_out.signs,
        8,
    );
    // One, one half, and three tenths of both, twice each.
    let weights = [1.0, 0.5, 1.0, 0.5, 0.3, 0.15, 0.3, 0.15];
    let total = 3.9;
    let mut sets = Vec::new();
    for (code, (weight, capability)) in weights.iter().zip(task.capabilities()).enumerate() {
        let own: Vec<&slow::Seen> = examples.iter().filter(|one| one.code == code).collect();
        let held: Vec<&slow::Seen> = held.iter().filter(|one| one.code == code).collect();
        assert_eq!(held.len(), 60);
        let set = slow::bits_of(&own);
        assert_eq!(slow::bits_of(&held), set);
        sets.push(set);
        assert!((capability.frequency - weight / total).abs() < 1e-12);
        assert!(slow::is_share(own.len(), 6_000, weight / total));
        assert_eq!(capability.chance, 0.5);
        assert!(slow::is_share(slow::odd(&own), own.len(), 0.5));
    }
    for (label, example) in drawn.labels.iter().zip(&examples) {
        assert_eq!(*label, Some(example.code));
    }
    for i in 0..2 {
        let [x, y, z, control] = [0, 2, 4, 6].map(|first| &sets[first + i]);
        assert_eq!((x.len(), y.len(), z.len(), control.len()), (2, 2, 4, 4));
        let mut union = [x.as_slice(), y].concat();
        union.sort_unstable();
        assert_eq!(&union, z);
        for trained in &sets[..6] {
            assert!(!trained.iter().all(|bit| control.contains(bit)), "{sets:?}");
        }
        let parts = &task.capabilities()[4 + i].parts;
        assert_eq!(*parts, [format!("x-{i}"), format!("y-{i}")]);
    }
    let others = (0..8).filter(|at| !(4..6).contains(at));
    assert!(
        others
            .into_iter()
            .all(|at| task.capabilities()[at].parts.is_empty())
    );
    let differ = |sets: &[Vec<usize>]| sets.iter().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(differ(&sets), 8);
}

/// The product of the signs of x and y is that of z on every input: what a model can compose.
#[test]
fn z_is_the_product_of_its_parts() {
    for seed in 0..20 {
        let masks = Masks::draw(
            &CompositionConfig::default(),
            &mut ChaCha8Rng::seed_from_u64(seed),
        )
        .unwrap();
        for ((x, y), z) in masks.x.iter().zip(&masks.y).zip(&masks.z) {
            assert_eq!((x & y, x ^ y), (0, *z));
        }
    }
}

#[test]
fn at_zero_z_and_controls_are_tested_and_never_drawn() {
    let config = CompositionConfig {
        composed: 0.0,
        ..small()
    };
    let task = SparseParity::composed(&config, 0).unwrap();
    assert!(
        task.capabilities()[4..]
            .iter()
            .all(|one| one.frequency == 0.0)
    );
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = task.draw(5_000, &mut random, &Device::flex()).unwrap();
    assert!(
        drawn
            .labels
            .iter()
            .all(|label| label.is_some_and(|at| at < 4))
    );
    let model = task.model(&mut random, &Device::flex());
    assert_eq!(task.evaluate(&model, &Device::flex()).unwrap().len(), 8);
    // They can be drawn all the same where they are asked for.
    let asked = task.draw_of(&[4, 7], &mut random, &Device::flex()).unwrap();
    assert_eq!(asked.labels, [Some(4), Some(7)]);
}

#[test]
fn settings_are_checked() {
    let with = |change: fn(&mut CompositionConfig)| {
        let mut config = CompositionConfig::default();
        change(&mut config);
        SparseParity::composed(&config, 0).unwrap_err().to_string()
    };
    for (change, message) in [
        (
            (|c| c.triples = 0) as fn(&mut CompositionConfig),
            "triples = 0, but it is a whole number from 1 to 1000",
        ),
        (
            |c| c.subset = 1,
            "subset = 1, but it is a whole number from 2 to 32",
        ),
        (
            |c| c.subset = 16,
            "subset = 16, but twice as many are at most bits = 30",
        ),
        (
            |c| c.composed = f64::NAN,
            "composed = NaN, but it is a number from 0 to 1000",
        ),
    ] {
        assert_eq!(with(change), message);
    }
    let few = with(|c| (c.bits, c.subset) = (6, 3));
    assert!(few.contains("not enough sets of 3 and 6 bits"), "{few}");
    let large = with(|c| (c.hidden, c.depth) = (1_000_000, 2));
    assert!(
        large.starts_with("hidden = 1000000, but with depth = 2, triples = 3 and bits = 30"),
        "{large}"
    );
}
