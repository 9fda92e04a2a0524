//! Gradients in a metric, against the definition written out on the rows.

use crate::common::{close, device, double, filled, squares, values};
use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use gradual_grad::host::reads;
use gradual_grad::{ExampleGradients, GradError, Metric, Part, Tap, TiedReadout, Whitening, trace};

const DOUBLE: FloatDType = FloatDType::F64;

#[derive(Module, Debug)]
struct Model {
    first: Linear,
    last: Linear,
}

impl Model {
    fn new(d: usize, e: usize) -> Self {
        let linear = |from, to| LinearConfig::new(from, to).init(&device());
        double(filled(Self {
            first: linear(d, e),
            last: linear(e, 2),
        }))
    }

    fn gradients(&self, inputs: &Tensor<2>) -> ExampleGradients {
        let losses = |m: &Self| squares(m.last.tap(relu(m.first.tap(inputs.clone()))));
        trace(self, losses).expect("the model is covered").gradients
    }
}

fn inputs(n: usize, d: usize, seed: u64) -> Tensor<2> {
    values([n, d], seed, DOUBLE)
}

/// The output-gradients of the first layer, which are the gradients of its bias.
fn deltas(gradients: &ExampleGradients) -> Tensor<2> {
    gradients.select("first.bias").expect("a bias").rows()
}

/// Columns of mean zero where asked, and of mean square one.
fn scaled(columns: Tensor<2>, centred: bool) -> Tensor<2> {
    let mean = columns.clone().mean_dim(0);
    let columns = if centred { columns - mean } else { columns };
    let size = (columns.clone() * columns.clone()).mean_dim(0).sqrt();
    let flat = size.clone().lower_equal_elem(1e-12);
    columns * size.recip().mask_fill(flat, 0.0)
}

fn eye(size: usize) -> Tensor<2> {
    Tensor::<2>::eye(size, &device().inner()).cast(DOUBLE)
}

fn products(rows: Tensor<2>) -> Tensor<2> {
    rows.clone().matmul(rows.transpose())
}

fn whitened(globs: &[&str]) -> Metric {
    Metric::whitened().with_layers(globs).expect("globs")
}

fn observed(mut metric: Metric, gradients: &ExampleGradients) -> Metric {
    metric.observe(gradients).expect("moments");
    metric
}

#[test]
fn coordinates_are_centred_and_scaled() {
    let (model, x) = (Model::new(5, 7), inputs(12, 5, 1));
    let gradients = model.gradients(&x);
    let (x, delta) = (scaled(x.inner(), true), scaled(deltas(&gradients), false));
    let expected = products(x.clone()) * products(delta.clone());

    let metric = observed(whitened(&["first.weight"]).balanced(false), &gradients);
    close(
        "gram",
        metric.gram(&gradients).expect("moments"),
        expected.clone(),
        1e-10,
    );
    // Balanced: the mean squared norm is one.
    let metric = observed(whitened(&["first.weight"]), &gradients);
    let trace = (expected.clone() * eye(12)).sum();
    let balanced = expected * 12.0 / trace.reshape([1, 1]);
    close(
        "balanced",
        metric.gram(&gradients).expect("moments"),
        balanced,
        1e-10,
    );

    for (part, side) in [(Part::Inputs, x), (Part::OutputGradients, delta)] {
        let metric = whitened(&["first.weight"]).with_part(part).balanced(false);
        let metric = observed(metric, &gradients);
        let gram = metric.gram(&gradients).expect("moments");
        close("one side", gram, products(side), 1e-10);
    }
}

#[test]
fn moments_are_running_means() {
    let model = Model::new(4, 3);
    let [first, second] = [1, 2].map(|seed| model.gradients(&inputs(9, 4, seed)));
    let memory = 0.75;
    let metric = whitened(&["first.bias"])
        .balanced(false)
        .with_memory(memory)
        .expect("a memory");
    let metric = observed(observed(metric, &first), &second);

    let square = |of: &ExampleGradients| deltas(of).powi_scalar(2).mean_dim(0);
    let mean = (square(&first) * memory + square(&second)) / (1.0 + memory);
    let expected = products(deltas(&second) / mean.sqrt());
    close(
        "gram",
        metric.gram(&second).expect("moments"),
        expected,
        1e-10,
    );
}

#[test]
fn every_layer_weighs_the_same_when_balanced() {
    let model = Model::new(5, 6);
    let gradients = model.gradients(&inputs(10, 5, 3));
    for whitening in [Whitening::None, Whitening::Coordinates] {
        let metric = Metric::euclidean().with_whitening(whitening).balanced(true);
        let metric = observed(metric, &gradients);
        let applied = metric.apply(&gradients).expect("moments");
        for (path, gram) in applied.per_parameter() {
            let trace: f64 = crate::common::numbers(gram * eye(10)).iter().sum();
            assert!((trace - 10.0).abs() < 1e-8, "{path}: {trace}");
        }
    }
}

/// The metric of coordinates does not see their units, the Kronecker metric no linear map at all.
#[test]
fn units_do_not_matter() {
    let (d, n) = (4, 30);
    let (model, x) = (Model::new(d, 5), inputs(n, d, 4));
    let units = Tensor::<2>::from_floats([[3.0, 0.1, 7.0, 0.5]], &device().inner()).cast(DOUBLE);
    let mixing = values([d, d], 9, DOUBLE).inner() + eye(d) * 2.0;
    let gram = |metric: &Metric, model: &Model, x: &Tensor<2>| {
        let gradients = model.gradients(x);
        let metric = observed(metric.clone(), &gradients);
        metric.gram(&gradients).expect("moments")
    };
    // A model on other inputs whose outputs are the same: W' = A⁻¹ W, here from W = A W'.
    let before = |a: Tensor<2>| {
        let mut model = model.clone();
        let weight = model.first.weight.val();
        model.first.weight = model.first.weight.map(|_| {
            let weight = a.clone().matmul(weight.inner());
            weight.autodiff().require_grad()
        });
        model
    };
    let only = |metric: Metric| metric.with_layers(&["first.weight"]).expect("a glob");

    let scales = eye(d) * units.clone();
    close(
        "coordinates",
        gram(
            &only(Metric::whitened()),
            &model,
            &(x.clone().inner() * units).autodiff(),
        ),
        gram(&only(Metric::whitened()), &before(scales), &x),
        1e-9,
    );
    let kronecker = Whitening::Kronecker { damping: 0.0 };
    // The other side has directions without any variance here.
    let kronecker = Metric::euclidean().with_whitening(kronecker);
    let kronecker = only(kronecker.with_part(Part::Inputs));
    close(
        "kronecker",
        gram(
            &kronecker,
            &model,
            &x.clone().inner().matmul(mixing.clone()).autodiff(),
        ),
        gram(&kronecker, &before(mixing), &x),
        // As much as the least damping changes.
        1e-3,
    );
}

#[test]
fn kronecker_whitening_leaves_unit_covariance() {
    let (n, d) = (40, 4);
    let model = double(filled(LinearConfig::new(d, 1).init(&device())));
    let x = inputs(n, d, 6);
    let losses = |m: &Linear| squares(m.tap(x.clone()));
    let gradients = trace(&model, losses).expect("covered").gradients;
    let metric = Metric::euclidean()
        .with_whitening(Whitening::Kronecker { damping: 0.0 })
        .with_layers(&["weight"])
        .expect("a glob")
        .with_part(Part::Inputs);
    let metric = observed(metric, &gradients);
    let rows = metric.apply(&gradients).expect("moments").rows();
    let covariance = rows.clone().transpose().matmul(rows) / n as f64;
    close("covariance", covariance, eye(d), 1e-9);
}

#[derive(Module, Debug)]
struct Mixed {
    embedding: Embedding,
    convolution: Conv1d,
    other: Embedding,
}

/// Scattered, merged and convolved gradients in the metric are those of their own rows: the factors
/// and the rows are scaled alike.
#[test]
fn every_kind_of_factor_can_be_scaled() {
    let device = device();
    let model = filled(Mixed {
        embedding: EmbeddingConfig::new(6, 4).init(&device),
        convolution: Conv1dConfig::new(4, 4, 3).with_groups(2).init(&device),
        other: EmbeddingConfig::new(6, 4).init(&device),
    });
    let tokens: Vec<i32> = (0..40).map(|i| (i * i + i / 3) % 6).collect();
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(tokens, [8, 5]), &device);
    let losses = |m: &Mixed| {
        let h = m.embedding.tap(tokens.clone()) + m.other.tap(tokens.clone());
        let h = m.convolution.tap(h.swap_dims(1, 2)).swap_dims(1, 2);
        squares(m.embedding.readout(h))
    };
    let gradients = trace(&model, losses).expect("covered").gradients;
    for whitening in [
        Whitening::Coordinates,
        Whitening::Kronecker { damping: 1e-2 },
    ] {
        for part in [Part::Gradients, Part::Inputs, Part::OutputGradients] {
            let metric = Metric::whitened().with_whitening(whitening).with_part(part);
            let metric = observed(metric, &gradients);
            let applied = metric.apply(&gradients).expect("moments");
            close("gram", applied.gram(), products(applied.rows()), 1e-4);
            let seen = applied.per_parameter().len();
            assert_eq!(seen, 4, "{part:?}");
        }
    }
}

#[test]
fn chosen_and_condensed_gradients() {
    let (model, x) = (Model::new(5, 6), inputs(9, 5, 2));
    let gradients = model.gradients(&x);
    let rows = gradients.rows();
    let chosen = gradients.choose(&[7, 0, 7]).expect("examples");
    let at = Tensor::<1, Int>::from_ints([7, 0, 7], &rows.device());
    close("chosen", chosen.rows(), rows.clone().select(0, at), 1e-12);
    assert_eq!(
        gradients.choose(&[9]).unwrap_err().to_string(),
        "choose: there is no example 9 in a draw of 9"
    );

    let coefficients = values([3, 9], 5, DOUBLE).inner();
    let sums = coefficients.clone().matmul(rows.clone());
    // Of full rank nothing is lost.
    let full = gradients
        .condense(&coefficients, 6)
        .expect("n coefficients");
    close("full rank", full.rows(), sums.clone(), 1e-6);
    close(
        "products",
        gradients.cross_gram(&full).expect("one model"),
        rows.clone().matmul(sums.transpose()),
        1e-6,
    );
    // A gradient of one position has rank one.
    let one = Tensor::<2>::eye(9, &rows.device())
        .cast(DOUBLE)
        .narrow(0, 4, 1);
    let single = gradients.condense(&one, 1).expect("n coefficients");
    close("rank one", single.rows(), rows.narrow(0, 4, 1), 1e-9);
    assert!(matches!(
        gradients.condense(&coefficients.narrow(1, 0, 2), 1),
        Err(GradError::Coefficients {
            expected: 9,
            got: 2
        })
    ));
}

#[test]
fn a_glob_that_matches_nothing_is_named() {
    let model = Model::new(3, 2);
    let gradients = model.gradients(&inputs(4, 3, 1));
    let error = whitened(&["firts.*"]).observe(&gradients).unwrap_err();
    assert!(error.to_string().contains("firts.*"), "{error}");
    assert!(Metric::whitened().with_layers(&["a[b"]).is_err());
}

/// A draw with NaN in it is refused and leaves no trace.
#[test]
fn moments_take_numbers_only() {
    let model = Model::new(3, 2);
    let good = model.gradients(&inputs(4, 3, 1));
    let bad = model.gradients(&(inputs(4, 3, 2) * f64::NAN));
    for whitening in [
        Whitening::None,
        Whitening::Coordinates,
        Whitening::Kronecker { damping: 0.1 },
    ] {
        let mut metric = observed(Metric::whitened().with_whitening(whitening), &good);
        let before = metric.apply(&good).unwrap().gram();
        let refused = metric.observe(&bad).unwrap_err();
        let message = refused.to_string();
        assert!(
            message.contains("not finite") || message.contains("Cholesky"),
            "{message}"
        );
        close("kept", metric.apply(&good).unwrap().gram(), before, 1e-12);
    }
}

/// Without moments all gradients would be zero, all cosines too, and whoever groups by them would never move.
#[test]
fn nothing_is_compared_before_it_was_observed() {
    let model = Model::new(3, 2);
    let g = model.gradients(&inputs(4, 3, 1));
    for metric in [
        Metric::whitened(),
        Metric::euclidean().balanced(true),
        Metric::euclidean().with_part(Part::Inputs),
        Metric::euclidean().with_whitening(Whitening::Kronecker { damping: 0.1 }),
    ] {
        for result in [metric.apply(&g).map(|_| ()), metric.gram(&g).map(|_| ())] {
            let error = result.unwrap_err();
            assert!(matches!(error, GradError::Unobserved), "{error}");
            assert!(error.to_string().contains("call `observe`"), "{error}");
        }
        // What others observed is not what is looked at.
        let metric = observed(metric.with_layers(&["last.*"]).expect("a glob"), &g);
        let metric = metric.with_layers(&["first.weight"]).expect("a glob");
        assert!(matches!(metric.apply(&g), Err(GradError::Unobserved)));
    }
    assert!(Metric::euclidean().apply(&g).is_ok());
}

#[test]
fn a_part_that_no_parameter_has_is_an_error() {
    let model = Model::new(3, 2);
    let g = model.gradients(&inputs(4, 3, 1));
    let metric = whitened(&["*.bias"]).with_part(Part::Inputs);
    let error = observed(metric, &g).apply(&g).unwrap_err();
    assert!(
        matches!(error, GradError::NoPart { part: Part::Inputs }),
        "{error}"
    );
    assert!(error.to_string().contains("inputs"), "{error}");
}

/// Moments are of one form of gradient: others would go through unscaled.
#[test]
fn moments_of_another_use_are_refused() {
    let model = Tied {
        table: EmbeddingConfig::new(5, 3).init(&device()),
    };
    let both = |m: &Tied| squares(m.table.readout(m.table.tap(tokens(4, 2, 5))));
    let one = |m: &Tied| squares(m.table.tap(tokens(4, 2, 5)));
    let [both, one] = [trace(&model, both), trace(&model, one)]
        .map(|traced| traced.expect("a tapped model").gradients);
    let metric = observed(Metric::whitened(), &both);
    let error = metric.apply(&one).unwrap_err();
    assert!(matches!(error, GradError::Moments { .. }), "{error}");
    assert!(error.to_string().contains("observe"), "{error}");
    let metric = observed(Metric::whitened(), &one);
    assert!(matches!(
        metric.apply(&both),
        Err(GradError::Moments { .. })
    ));
}

#[derive(Module, Debug)]
struct Tied {
    table: Embedding,
}

fn tokens(n: usize, t: usize, rows: usize) -> Tensor<2, Int> {
    let values: Vec<i64> = (0..n * t)
        .map(|i| (i * i + i / 3) as i64 % rows as i64)
        .collect();
    Tensor::from_data(TensorData::new(values, [n, t]), &device())
}

/// How often the host waits for the device: `docs/backends.md` has these numbers.
#[test]
fn waits_are_counted() {
    let waits = |work: &mut dyn FnMut()| {
        let before = reads();
        work();
        reads() - before
    };
    let model = Model::new(4, 3);
    let g = model.gradients(&inputs(5, 4, 1));
    for (whitening, balanced, expected) in [
        (Whitening::None, false, 0),
        (Whitening::None, true, 1),
        (Whitening::Coordinates, true, 1),
        (Whitening::Kronecker { damping: 0.1 }, true, 2),
    ] {
        let metric = Metric::euclidean();
        let mut metric = metric.with_whitening(whitening).balanced(balanced);
        for _ in 0..2 {
            let found = waits(&mut || metric.observe(&g).expect("finite"));
            assert_eq!(found, expected, "{whitening:?}");
        }
        let found = waits(&mut || drop(metric.apply(&g).expect("observed").cosine()));
        assert_eq!(found, 0, "{whitening:?}");
    }

    // The indices of a large draw are read once; those of a small one are not.
    let model = Tied {
        table: EmbeddingConfig::new(4000, 64).init(&device()),
    };
    let gradients = |n, t| {
        let losses = |m: &Tied| squares(m.table.tap(tokens(n, t, 4000)));
        trace(&model, losses).expect("a tapped model").gradients
    };
    let (large, small) = (gradients(48, 128), gradients(8, 8));
    assert_eq!(waits(&mut || drop(small.cosine())), 0);
    assert_eq!(waits(&mut || drop(small.cross_gram(&small))), 0);
    assert_eq!(
        waits(&mut || drop(large.combine(&Tensor::ones([48], &device())))),
        0
    );
    assert_eq!(waits(&mut || drop(large.gram())), 1);
    assert_eq!(waits(&mut || drop(large.cosine())), 0);
    assert_eq!(waits(&mut || drop(large.clone().cross_gram(&large))), 0);
    let route = large.coverage().covered()[0].route;
    assert_eq!(route, "look-ups of equal index");
    let rows = large.rows();
    let expected = rows.clone().matmul(rows.transpose());
    close("gram", large.gram(), expected.clone(), 1e-4);
    close(
        "cross_gram",
        large.cross_gram(&large).expect("one model"),
        expected,
        1e-4,
    );
}
