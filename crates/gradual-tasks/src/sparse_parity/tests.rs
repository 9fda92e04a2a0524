use std::hash::Hasher;

use super::*;

#[test]
fn labels_are_the_parity_of_the_tasks_bits() {
    let task = SparseParity::new(SparseParityConfig::default(), 3).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let tasks: Vec<usize> = (0..200).map(|i| i % 20).collect();
    let examples = task.examples(&tasks, &mut random);
    let inputs: Vec<f32> = examples.inputs.try_to_vec().unwrap();
    for ((&of, row), sign) in tasks.iter().zip(inputs.chunks(70)).zip(&examples.signs) {
        let (code, bits) = row.split_at(20);
        assert_eq!(code.iter().position(|&value| value == 3.0), Some(of));
        assert_eq!(code.iter().sum::<f32>(), 3.0);
        assert_eq!(task.masks[of].count_ones(), 3);
        let ones = (0..50).filter(|bit| task.masks[of] >> bit & 1 == 1 && bits[*bit] == 1.0);
        assert_eq!(*sign, if ones.count() % 2 == 1 { 1.0 } else { -1.0 });
    }
}

#[test]
fn frequencies_are_zipf_and_draws_follow_them() {
    let task = SparseParity::new(SparseParityConfig::default(), 0).unwrap();
    let first = task.capabilities[0].frequency;
    assert!((task.capabilities[3].frequency / first - 4f64.powf(-0.8)).abs() < 1e-12);
    let total: f64 = task.capabilities.iter().map(|c| c.frequency).sum();
    assert!((total - 1.0).abs() < 1e-12);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let drawn = task.draw(40_000, &mut random, &Device::flex()).unwrap();
    for (i, capability) in task.capabilities.iter().enumerate() {
        let share = drawn.labels.iter().filter(|&&l| l == Some(i)).count() as f64 / 40_000.0;
        let deviation = (capability.frequency / 40_000.0).sqrt();
        assert!(
            (share - capability.frequency).abs() < 5.0 * deviation,
            "{i}: {share}"
        );
    }
}

#[test]
fn tasks_differ_and_seeds_matter() {
    let masks = |seed| {
        SparseParity::new(SparseParityConfig::default(), seed)
            .unwrap()
            .masks
    };
    assert_eq!(masks(1).iter().collect::<HashSet<_>>().len(), 20);
    assert_eq!(masks(1), masks(1));
    assert_ne!(masks(1), masks(2));
}

/// What draws, held-out examples and weights were before tasks could have aliases, at seed 5.
#[test]
fn one_alias_draws_what_was_always_drawn() {
    let config = SparseParityConfig {
        tasks: 4,
        bits: 8,
        hidden: 3,
        held_out: 5,
        ..SparseParityConfig::default()
    };
    let task = SparseParity::new(config, 5).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let drawn = task.draw(6, &mut random, &Device::flex()).unwrap();
    let model = task.model(&mut random, &Device::flex());
    let inputs: Vec<f32> = drawn.batch.inputs.into_data().try_to_vec().unwrap();
    let logits: Vec<f32> = model
        .forward(Tensor::ones([1, 12], &Device::flex()))
        .into_data()
        .try_to_vec()
        .unwrap();
    let held: Vec<f32> = task.held_out.inputs.try_to_vec().unwrap();
    let labels: Vec<usize> = drawn.labels.into_iter().flatten().collect();
    assert_eq!(labels, [0, 2, 2, 3, 0, 0]);
    assert_eq!(task.masks, [0xc2, 0x31, 0x52, 0x4c]);
    assert_eq!(fingerprint(&inputs), 8_422_219_708_883_655_973);
    assert_eq!(fingerprint(&held), 7_712_926_039_492_645);
    assert_eq!(logits[0].to_bits(), 1_057_682_982);
    assert_eq!(drawn.batch.codes, labels);
}

/// FNV-1a of the bits of numbers.
fn fingerprint(values: &[f32]) -> u64 {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(&bytes);
    hasher.finish()
}

#[test]
fn each_alias_announces_its_task_equally_often() {
    let config = SparseParityConfig {
        tasks: 4,
        aliases: 3,
        depth: 2,
        ..SparseParityConfig::default()
    };
    let task = SparseParity::new(config, 0).unwrap();
    assert_eq!(task.capabilities.len(), 4);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let device = Device::flex();
    let drawn = task.draw(6_000, &mut random, &device).unwrap();
    let mut seen = [0.0; 12];
    let inputs: Vec<f32> = drawn.batch.inputs.clone().into_data().try_to_vec().unwrap();
    for ((row, &code), label) in inputs
        .chunks(12 + 50)
        .zip(drawn.batch.codes())
        .zip(&drawn.labels)
    {
        assert_eq!(row.iter().position(|&value| value == 3.0), Some(code));
        assert_eq!(Some(code / 3), *label);
        seen[code] += 1.0;
    }
    for of_task in seen.chunks(3) {
        let mean = of_task.iter().sum::<f64>() / 3.0;
        assert!(
            of_task
                .iter()
                .all(|count| (count - mean).abs() < 5.0 * mean.sqrt()),
            "{seen:?}"
        );
    }
    let model = task.model(&mut random, &device);
    assert_eq!(task.losses(&model, &drawn.batch).dims(), [6_000]);
    let paths: Vec<String> =
        gradual::grad::trace(&task.model(&mut random, &device.autodiff()), |m| {
            task.losses(m, &drawn.batch)
        })
        .unwrap()
        .gradients
        .paths()
        .map(str::to_owned)
        .collect();
    assert!(paths.contains(&"layers.2.weight".to_owned()), "{paths:?}");
}

#[test]
fn settings_are_checked() {
    let with = |change: fn(&mut SparseParityConfig)| {
        let mut config = SparseParityConfig::default();
        change(&mut config);
        SparseParity::new(config, 0).unwrap_err().to_string()
    };
    assert_eq!(
        with(|c| c.tasks = 0),
        "tasks = 0, but it is a whole number from 1 to 10000"
    );
    assert_eq!(
        with(|c| c.subset = 51),
        "subset = 51, but it is at most bits = 50"
    );
    assert_eq!(
        with(|c| c.aliases = 0),
        "aliases = 0, but it is a whole number from 1 to 1000"
    );
    assert_eq!(
        with(|c| c.depth = 0),
        "depth = 0, but it is a whole number from 1 to 100"
    );
    assert_eq!(
        with(|c| {
            c.bits = 4;
            c.subset = 4
        }),
        "tasks = 20, but 4 bits have only 1 subset of 4 bits"
    );
}

/// Draws against [`slow`], which finds out for itself what every code stands for; held-out examples too.
#[test]
fn every_sign_is_that_of_a_set_of_bits_that_only_examples_tell() {
    let config = SparseParityConfig {
        tasks: 5,
        bits: 11,
        aliases: 2,
        exponent: 0.7,
        held_out: 60,
        hidden: 4,
        ..SparseParityConfig::default()
    };
    let task = SparseParity::new(config, 4).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let drawn = task.draw(4_000, &mut random, &Device::flex()).unwrap();
    let numbers = |values: TensorData| values.try_to_vec::<f32>().unwrap();
    let (inputs, signs) = (
        numbers(drawn.batch.inputs.into_data()),
        numbers(drawn.batch.signs.into_data()),
    );
    let drawn_ones = slow::seen(&inputs, &signs, 10);
    let held = slow::seen(
        &numbers(task.held_out.inputs.clone()),
        &task.held_out.signs,
        10,
    );
    let weights: Vec<f64> = (1..=5)
        .map(|rank| (-0.7 * f64::from(rank).ln()).exp())
        .collect();
    let counts = slow::counts(&drawn_ones, 10);
    let mut sets = Vec::new();
    for (at, weight) in weights.iter().enumerate() {
        let own = |examples: &'_ [slow::Seen]| -> Vec<usize> {
            (0..examples.len())
                .filter(|&i| examples[i].code / 2 == at)
                .collect()
        };
        let all: Vec<&slow::Seen> = own(&drawn_ones)
            .into_iter()
            .map(|i| &drawn_ones[i])
            .collect();
        let held: Vec<&slow::Seen> = own(&held).into_iter().map(|i| &held[i]).collect();
        let set = slow::bits_of(&all);
        assert_eq!(set.len(), 3);
        assert_eq!(slow::bits_of(&held), set);
        sets.push(set);
        // Frequencies, and each code as often as the other.
        let frequency = weight / weights.iter().sum::<f64>();
        assert!((task.capabilities()[at].frequency - frequency).abs() < 1e-12);
        assert!(slow::is_share(all.len(), 4_000, frequency));
        assert!(slow::is_share(counts[2 * at], all.len(), 0.5));
        // Chance.
        assert_eq!(task.capabilities()[at].chance, 0.5);
        assert!(slow::is_share(slow::odd(&all), all.len(), 0.5));
        for (label, example) in drawn.labels.iter().zip(&drawn_ones) {
            assert_eq!(*label, Some(example.code / 2));
        }
    }
    sets.sort();
    sets.dedup();
    assert_eq!(sets.len(), 5);
}

#[test]
fn words_say_what_the_inputs_hold() {
    for aliases in [1, 3] {
        let config = SparseParityConfig {
            tasks: 5,
            bits: 12,
            aliases,
            ..SparseParityConfig::default()
        };
        let task = SparseParity::new(config, 2).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let drawn = task.draw(60, &mut random, &Device::flex()).unwrap();
        let inputs: Vec<f32> = drawn.batch.inputs.clone().into_data().try_to_vec().unwrap();
        let signs: Vec<f32> = drawn.batch.signs.clone().into_data().try_to_vec().unwrap();
        for (example, row) in inputs.chunks(5 * aliases + 12).enumerate() {
            let words = task.describe(&drawn.batch, example).unwrap();
            let (code, bits) = row.split_at(5 * aliases);
            let code = code.iter().position(|&value| value != 0.0).unwrap();
            let of = drawn.labels[example].unwrap();
            let start = format!("task-{of:02}, code {code}: bits ");
            let (shown, parity) = words.split_once(", odd").map_or_else(
                || (words.strip_suffix(", even").unwrap(), -1.0),
                |(shown, _)| (shown, 1.0),
            );
            assert_eq!(parity, signs[example], "{words}");
            let shown = shown.strip_prefix(&start).unwrap();
            let mut own = 0;
            for (at, value) in shown.split(' ').map(|bit| bit.split_once('=').unwrap()) {
                let at: usize = at.parse().unwrap();
                assert_eq!(value == "1", bits[at] == 1.0, "{words}");
                own |= 1 << at;
            }
            assert_eq!(own, task.masks[of], "{words}");
        }
        assert_eq!(task.describe(&drawn.batch, 60), None);
    }
    // With fields, a code is of no task by itself.
    let config = SparseParityConfig {
        tasks: 6,
        bits: 12,
        controls: 2,
        ..SparseParityConfig::default()
    };
    let task = SparseParity::new(config, 2).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = task.draw(40, &mut random, &Device::flex()).unwrap();
    for (example, label) in drawn.labels.iter().enumerate() {
        let words = task.describe(&drawn.batch, example).unwrap();
        let start = format!("{}, code ", task.capabilities[label.unwrap()].name);
        assert!(words.starts_with(&start), "{words}");
    }
    let composed =
        SparseParity::composed(&composition::config::CompositionConfig::default(), 0).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = composed
        .draw_of(&[0], &mut random, &Device::flex())
        .unwrap();
    let words = composed.describe(&drawn.batch, 0).unwrap();
    assert!(
        words.starts_with(&composed.capabilities()[0].name),
        "{words}"
    );
}

/// A field alone tells nothing of the task, and all fields tell it.
#[test]
fn fields_tell_the_task_only_together() {
    for controls in [2, 3] {
        let config = SparseParityConfig {
            tasks: 5,
            controls,
            ..SparseParityConfig::default()
        };
        let each = config.codes_of_each();
        let task = SparseParity::new(config, 3).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let drawn = task.draw(20_000, &mut random, &Device::flex()).unwrap();
        let inputs: Vec<f32> = drawn.batch.inputs.into_data().try_to_vec().unwrap();
        let mut seen = vec![vec![0usize; 25]; controls];
        let mut announced = std::collections::BTreeMap::new();
        for ((row, label), code) in inputs
            .chunks(5 * controls + 50)
            .zip(&drawn.labels)
            .zip(&drawn.batch.codes)
        {
            let label = label.unwrap();
            let fields = row[..5 * controls].chunks(5);
            let values: Vec<usize> = fields
                .map(|field| {
                    assert_eq!(field.iter().sum::<f32>(), 3.0);
                    field.iter().position(|&entry| entry == 3.0).unwrap()
                })
                .collect();
            let meant = values
                .iter()
                .zip(&task.fields)
                .map(|(&value, of)| of[value]);
            assert_eq!(meant.sum::<usize>() % 5, label);
            assert_eq!(code / each, label);
            assert_eq!(
                *announced.entry(*code).or_insert_with(|| values.clone()),
                values
            );
            for (seen, value) in seen.iter_mut().zip(&values) {
                seen[label * 5 + value] += 1;
            }
        }
        assert_eq!(announced.len(), 5 * each);
        for seen in &seen {
            for of_task in seen.chunks(5) {
                let mean = of_task.iter().sum::<usize>() as f64 / 5.0;
                // Five deviations of a count.
                let alike = |count: &usize| (*count as f64 - mean).abs() < 5.0 * mean.sqrt();
                assert!(of_task.iter().all(alike), "{of_task:?}");
            }
        }
    }
}

/// k-means on the inputs, told the number of tasks, finds those of plain codes, and hardly any of fields: examples of one of
/// the 36 or 216 codes are of one task, and alike.
#[test]
fn inputs_with_fields_show_no_tasks() {
    use gradual::group::adjusted_rand;
    use gradual::prelude::*;
    for (controls, least, most) in [(1, 0.5, 1.0), (2, -0.1, 0.1), (3, -0.1, 0.1)] {
        let config = SparseParityConfig {
            tasks: 6,
            bits: 12,
            code: 12.0,
            exponent: 0.0,
            controls,
            ..SparseParityConfig::default()
        };
        let task = SparseParity::new(config, 0).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = task.draw(600, &mut random, &Device::flex()).unwrap();
        let inputs = ExampleGradients::from_rows(drawn.batch.inputs);
        let losses = Tensor::<1>::ones([600], &Device::flex());
        let draw = Draw::new(&losses).with_gradients(&inputs);
        let groups = KMeans::new(6, 0).group(&draw).unwrap();
        let index = adjusted_rand(groups.assignment().unwrap(), &drawn.labels).unwrap();
        assert!((least..=most).contains(&index), "{controls}: {index}");
    }
}

#[test]
fn fields_and_aliases_exclude_each_other() {
    let config = SparseParityConfig {
        aliases: 2,
        controls: 2,
        ..SparseParityConfig::default()
    };
    let error = SparseParity::new(config, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "controls = 2, but it is 1 where aliases = 2"
    );
}
