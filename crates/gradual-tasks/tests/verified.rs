//! The gradients of the project's own models are what they are taken for, on the draws that they train on.

use burn::tensor::Device;
use gradual::grad::verify;
use gradual::train::Task;
use gradual_tasks::{
    Addition, AdditionConfig, Biographies, BiographiesConfig, CompositionConfig, Digits,
    DigitsConfig, ImageData, Images, ImagesConfig, InContext, InContextConfig, Modular,
    ModularConfig, Skills, SkillsConfig, SparseParity, SparseParityConfig, Subpopulations,
    SubpopulationsConfig, Table, TableData, TableOptions, Text, TextConfig, TextData, TextTokens,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Checks a fresh model of the task. Returns the largest difference.
fn check<T: Task>(task: &T, draw: usize) -> f64 {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let device = Device::flex();
    let model = task.model(&mut random, &device.clone().autodiff());
    let drawn = task.draw(draw, &mut random, &device).unwrap();
    let verified = verify(&model, |m| task.losses(m, &drawn.batch)).expect("right");
    assert_eq!(verified.warnings, []);
    let differences = verified
        .differences
        .iter()
        .map(|(_, difference)| *difference);
    differences.fold(0.0, f64::max)
}

#[test]
fn sparse_parity() {
    let task = SparseParity::new(SparseParityConfig::default(), 1).expect("a task");
    assert!(check(&task, 128) < 1e-5);
}

#[test]
fn composed_parities() {
    let task = SparseParity::composed(&CompositionConfig::default(), 1).expect("a task");
    assert!(check(&task, 128) < 1e-5);
}

#[test]
fn modular() {
    let task = Modular::new(&ModularConfig::default(), 1).expect("a task");
    assert!(check(&task, 128) < 1e-5);
}

#[test]
fn addition() {
    let task = Addition::new(&AdditionConfig::default(), 1).expect("a task");
    assert!(check(&task, 64) < 1e-3);
}

#[test]
fn biographies() {
    let config = BiographiesConfig {
        share: 0.5,
        ..BiographiesConfig::default()
    };
    let task = Biographies::new(&config, 1).expect("a task");
    assert!(check(&task, 32) < 1e-3);
}

#[test]
fn in_context() {
    let task = InContext::new(&InContextConfig::default(), 1).expect("a task");
    assert!(check(&task, 32) < 1e-4);
}

#[test]
fn digits() {
    let task = Digits::new(&DigitsConfig::default(), 1).expect("a task");
    assert!(check(&task, 64) < 1e-5);
}

#[test]
fn subpopulations() {
    for hidden in [0, 32] {
        let config = SubpopulationsConfig {
            hidden,
            ..SubpopulationsConfig::default()
        };
        let task = Subpopulations::new(&config, 1).expect("a task");
        assert!(check(&task, 64) < 1e-5);
    }
}

#[test]
fn skills() {
    let task = Skills::new(&SkillsConfig::default(), 1).expect("a task");
    assert!(check(&task, 16) < 1e-3);
}

#[test]
fn table() {
    let task = Table::new(&TableData::red_wine().expect("a table"), 1);
    assert!(check(&task, 64) < 1e-5);
}

#[test]
fn images() {
    let data = ImageData::shapes().expect("shapes");
    let task = Images::new(&data, &ImagesConfig::default(), 1).expect("a task");
    assert!(check(&task, 16) < 1e-4);
}

/// A number is predicted by the squared error.
#[test]
fn numbers_of_a_table() {
    let rows: String = (0..60)
        .map(|i| format!("{i};{};{}.5\n", i % 2, i * 7 % 11))
        .collect();
    let text = format!("a;g;price\n{rows}");
    let options = TableOptions::numbers("price", "g");
    let data = TableData::read(text.as_bytes(), "prices", &options).expect("a table");
    assert!(check(&Table::new(&data, 1), 32) < 1e-5);
}

/// Lines of different lengths, some longer than the context.
#[test]
fn text() {
    let config = TextConfig {
        context: 24,
        ..TextConfig::default()
    };
    let word = |at: usize| "some words ".repeat(at % 4 + 1);
    for form in ["\"text\":\"", "\"prompt\":\"say \",\"target\":\""] {
        let lines = (0..40).map(|at| {
            format!(
                "{{{form}{}\"}}\n",
                &word(at)[..6 + at % 14 % (11 * (at % 4 + 1) - 6)]
            )
        });
        let lines: String = lines.collect();
        let data = TextData::read(lines.as_bytes(), "lines", &TextTokens::Bytes, &config);
        let task = Text::new(&data.expect("lines"), 1);
        assert!(check(&task, 16) < 1e-3, "{form}");
    }
}
