//! Gradients and moments that are written down and taken up again: the same numbers to the last bit.

use crate::common::{device, filled, squares};
use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Int, Tensor, TensorData};
use gradual_grad::{
    ExampleGradients, GradError, GradientsRecord, Metric, MetricRecord, Part, Tap, TiedReadout,
    Whitening, trace,
};

/// One layer for each form of a factor: scattered rows, outer products at one and at several
/// positions, stacks (groups of channels), plain rows, and a read-out tied to the embedding.
#[derive(Module, Debug)]
struct Model {
    embedding: Embedding,
    tied: Embedding,
    norm: LayerNorm,
    mixed: Conv1d,
    last: Linear,
}

impl Model {
    fn new() -> Self {
        let device = device();
        filled(Self {
            embedding: EmbeddingConfig::new(9, 4).init(&device),
            tied: EmbeddingConfig::new(9, 4).init(&device),
            norm: LayerNormConfig::new(4).init(&device),
            mixed: Conv1dConfig::new(4, 4, 2).with_groups(2).init(&device),
            last: LinearConfig::new(4, 3).init(&device),
        })
    }

    fn gradients(&self, n: usize, shift: i64) -> ExampleGradients {
        let tokens: Vec<i64> = (0..n as i64 * 3).map(|i| (i * i + shift) % 9).collect();
        let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [n, 3]), &device());
        let losses = |m: &Self| {
            let h = m.embedding.tap(tokens.clone()) + m.tied.tap(tokens);
            let read = m.tied.readout(m.norm.tap(h.clone()));
            let h = m
                .mixed
                .tap(h.swap_dims(1, 2))
                .mean_dim(2)
                .squeeze_dim::<2>(2);
            squares(m.last.tap(h)) + squares(read.mean_dim(1).squeeze_dim::<2>(1))
        };
        trace(self, losses).expect("covered").gradients
    }
}

/// Through bytes and back.
fn round<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("bytes");
    ciborium::from_reader(bytes.as_slice()).expect("the same again")
}

fn bits(tensor: Tensor<2>) -> Vec<u32> {
    let values: Vec<f32> = tensor.into_data().try_to_vec().expect("f32");
    values.into_iter().map(f32::to_bits).collect()
}

#[test]
fn gradients_go_round() {
    let model = Model::new();
    let (gradients, other) = (model.gradients(7, 1), model.gradients(5, 2));
    let record = gradients.record().expect("a record");
    let restored = ExampleGradients::restored(&round(&record), &device().inner()).expect("fits");
    assert_eq!(restored.coverage(), gradients.coverage());
    assert_eq!(bits(restored.gram()), bits(gradients.gram()));
    assert_eq!(bits(restored.rows()), bits(gradients.rows()));
    assert_eq!(bits(restored.sketch(16, 3)), bits(gradients.sketch(16, 3)));
    let cross = |with: &ExampleGradients| bits(other.cross_gram(with).expect("one model"));
    assert_eq!(cross(&restored), cross(&gradients));
    assert_eq!(restored.record().expect("a record"), record);
}

/// As a metric shows them, whichever side of a layer it looks at: so are standing examples kept in a checkpoint.
#[test]
fn gradients_in_a_metric_go_round() {
    let model = Model::new();
    for metric in [
        Metric::euclidean(),
        Metric::whitened(),
        Metric::euclidean().with_whitening(Whitening::Kronecker { damping: 0.1 }),
    ] {
        for part in [Part::Gradients, Part::Inputs, Part::OutputGradients] {
            let mut metric = metric.clone().with_part(part);
            let draws = [model.gradients(7, 1), model.gradients(5, 2)];
            metric.observe(&draws[0]).expect("moments");
            let [one, other] = draws.map(|draw| metric.apply(&draw).expect("a metric"));
            let record = round(&one.record().expect("a record"));
            let restored = ExampleGradients::restored(&record, &device().inner()).expect("fits");
            assert_eq!(bits(restored.gram()), bits(one.gram()), "{part:?}");
            let cross = |with: &ExampleGradients| bits(other.cross_gram(with).expect("one model"));
            assert_eq!(cross(&restored), cross(&one), "{part:?}");
            assert_eq!(restored.coverage(), one.coverage(), "{part:?}");
        }
    }
}

#[test]
fn moments_go_round() {
    let model = Model::new();
    let kronecker = Whitening::Kronecker { damping: 0.1 };
    for metric in [
        Metric::euclidean(),
        Metric::euclidean().balanced(true),
        Metric::whitened(),
        Metric::whitened().with_part(Part::Inputs),
        Metric::euclidean().with_whitening(kronecker),
    ] {
        let (mut metric, mut again) = (metric.clone(), metric);
        for shift in 0..3 {
            metric.observe(&model.gradients(6, shift)).expect("moments");
        }
        let record = round(&metric.record().expect("a record"));
        again.restore(&record, &device().inner()).expect("fits");
        assert_eq!(again.record().expect("a record"), record);
        for shift in 3..5 {
            let gradients = model.gradients(6, shift);
            let gram = |metric: &mut Metric| {
                metric.observe(&gradients).expect("moments");
                bits(metric.gram(&gradients).expect("a metric"))
            };
            assert_eq!(gram(&mut again), gram(&mut metric));
        }
    }
}

fn problem<T: std::fmt::Debug>(result: Result<T, GradError>) -> String {
    result.expect_err("refused").to_string()
}

/// A record with one thing changed in its CBOR tree.
fn changed<T: serde::Serialize + serde::de::DeserializeOwned>(
    record: &T,
    change: &dyn Fn(&str, &mut ciborium::Value),
) -> T {
    fn walk(value: &mut ciborium::Value, change: &dyn Fn(&str, &mut ciborium::Value)) {
        match value {
            ciborium::Value::Map(pairs) => {
                for (key, value) in pairs {
                    if let Some(key) = key.as_text() {
                        change(key, value);
                    }
                    walk(value, change);
                }
            }
            ciborium::Value::Array(values) => values.iter_mut().for_each(|v| walk(v, change)),
            _ => {}
        }
    }
    let mut value = ciborium::Value::serialized(record).expect("a tree");
    walk(&mut value, change);
    value.deserialized().expect("of the same form")
}

#[test]
fn what_does_not_fit_is_refused() {
    let device = device().inner();
    let gradients = Model::new().gradients(4, 1);
    let record = gradients.record().expect("a record");
    let restored = |record: &GradientsRecord| ExampleGradients::restored(record, &device);
    let fewer = changed(&record, &|key, value| {
        if key == "zeros" {
            let zeros = TensorData::new(vec![0.0f32; 3], [3]);
            *value = ciborium::Value::serialized(&zeros).expect("a tree");
        }
    });
    assert!(problem(restored(&fewer)).starts_with("record: examples: expected [3], got [4]"));
    let rows = changed(&record, &|key, value| {
        if key == "rows" {
            *value = ciborium::Value::from(2);
        }
    });
    assert!(problem(restored(&rows)).contains("among 2"));
    let more = changed(&record, &|key, value| {
        if key == "rows" {
            *value = ciborium::Value::from(20);
        }
    });
    assert!(problem(restored(&more)).contains("embedding.weight: expected [36], got [80]"));
    let flat = changed(&record, &|key, value| {
        if key == "left" {
            let flat = TensorData::new(vec![0.0f32; 4], [4]);
            *value = ciborium::Value::serialized(&flat).expect("a tree");
        }
    });
    assert!(problem(restored(&flat)).contains("expected a tensor of rank 3, got 1"));

    let mut whitened = Metric::whitened();
    whitened.observe(&gradients).expect("moments");
    let record: MetricRecord = whitened.record().expect("a record");
    let mut inputs = Metric::whitened().with_part(Part::Inputs);
    assert!(
        problem(inputs.restore(&record, &device)).contains("moments of Coordinates of Gradients")
    );
    let narrow = changed(&record, &|key, value| {
        if key == "mean" && *value != ciborium::Value::Null {
            let narrow = TensorData::new(vec![0.0f32; 2], [2]);
            if let ciborium::Value::Map(pairs) = value {
                pairs[0].1 = ciborium::Value::serialized(&narrow).expect("a tree");
            }
        }
    });
    let before = whitened.record().expect("a record");
    assert!(problem(whitened.restore(&narrow, &device)).contains("moments: expected"));
    assert_eq!(whitened.record().expect("a record"), before);
}

/// Moments of one shape do not meet gradients of another.
#[test]
fn moments_of_another_shape_are_refused() {
    let layer = |d| LinearConfig::new(d, 2).init(&device());
    let gradients = |d: usize| {
        let model: Linear = filled(layer(d));
        let x = Tensor::<2>::ones([3, d], &device());
        trace(&model, |m| squares(m.tap(x)))
            .expect("covered")
            .gradients
    };
    let mut metric = Metric::whitened();
    metric.observe(&gradients(3)).expect("moments");
    let said = problem(metric.apply(&gradients(5)));
    assert!(said.contains("another shape"), "{said}");
}
