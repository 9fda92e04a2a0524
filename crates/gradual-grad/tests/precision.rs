//! Models in half, single and double precision, and with layers of several, whatever the precision of their losses.

use crate::common::{cast, close, device, filled, squares, values};
use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::{DType, FloatDType, Int, Tensor, TensorData};
use gradual_grad::{
    ExampleGradients, Metric, Part, Tap, TiedReadout, Whitening, naive_rows, per_example, trace,
};

const ALL: [FloatDType; 4] = [
    FloatDType::F16,
    FloatDType::BF16,
    FloatDType::F32,
    FloatDType::F64,
];

#[derive(Module, Debug)]
struct Model {
    table: Embedding,
    hidden: Linear,
    norm: LayerNorm,
    head: Linear,
    scale: Param<Tensor<1>>,
}

const EXAMPLES: usize = 6;
const POSITIONS: usize = 4;
const ROWS: usize = 9;

fn tokens() -> Tensor<2, Int> {
    let values: Vec<i64> = (0..EXAMPLES * POSITIONS)
        .map(|i| (i * i / 2 + i) as i64 % ROWS as i64)
        .collect();
    Tensor::from_data(TensorData::new(values, [EXAMPLES, POSITIONS]), &device())
}

/// The precision of a layer's weight.
fn of(layer: &Linear) -> DType {
    layer.weight.val().dtype()
}

impl Model {
    /// Table and norm, hidden layer, head and scale in these precisions.
    fn new([table, hidden, head]: [FloatDType; 3]) -> Self {
        let model = filled(Self {
            table: EmbeddingConfig::new(ROWS, 5).init(&device()),
            hidden: LinearConfig::new(5, 5).init(&device()),
            norm: LayerNormConfig::new(5).init(&device()),
            head: LinearConfig::new(ROWS, 3).init(&device()),
            scale: Param::from_tensor(values([3], 9, FloatDType::F32)),
        });
        Self {
            table: cast(model.table, table),
            hidden: cast(model.hidden, hidden),
            norm: cast(model.norm, table),
            head: cast(model.head, head),
            scale: cast(model.scale, head),
        }
    }

    fn losses(&self, to: FloatDType) -> Tensor<1> {
        let table = self.table.weight.val().dtype();
        let x = self.table.tap(tokens()).cast(of(&self.hidden));
        let x = self.norm.tap(self.hidden.tap(x).tanh().cast(table));
        let x = self.table.readout(x).cast(of(&self.head));
        let x: Tensor<3> = self.head.tap(x.tanh());
        let scale: Tensor<2> = per_example(&self.scale, EXAMPLES);
        squares(x * scale.reshape([EXAMPLES, 1, 3])).cast(to) / 16.0
    }

    fn gradients(&self, to: FloatDType) -> ExampleGradients {
        trace(self, |m| m.losses(to))
            .expect("a tapped model")
            .gradients
    }
}

/// Models in one precision each, and three whose layers differ.
fn precisions() -> Vec<[FloatDType; 3]> {
    let mut all: Vec<_> = ALL.iter().map(|each| [*each; 3]).collect();
    all.push([FloatDType::BF16, FloatDType::F32, FloatDType::F16]);
    all.push([FloatDType::F32, FloatDType::BF16, FloatDType::F64]);
    all.push([FloatDType::F64, FloatDType::F16, FloatDType::F32]);
    all
}

/// The widest of a model's, at least single.
fn widest(precisions: &[FloatDType]) -> DType {
    match precisions.contains(&FloatDType::F64) {
        true => DType::F64,
        false => DType::F32,
    }
}

/// What is computed in the widest precision is exact to that of the narrowest that counts: single, unless all of the
/// model is in double.
fn exact(precisions: &[FloatDType]) -> f64 {
    match precisions.iter().all(|each| *each == FloatDType::F64) {
        true => 1e-12,
        false => 2e-5,
    }
}

fn double<const D: usize>(tensor: Tensor<D>, expected: DType) -> Tensor<D> {
    assert_eq!(tensor.dtype(), expected);
    tensor.cast(DType::F64)
}

#[test]
fn all_that_can_be_had_is_in_the_widest_precision() {
    for precisions in precisions() {
        let model = Model::new(precisions);
        for to in ALL {
            let g = model.gradients(to);
            let (wide, exact) = (widest(&precisions), exact(&precisions));
            let of_rows = double(g.rows(), wide);
            let gram = of_rows.clone().matmul(of_rows.clone().transpose());
            close("gram", double(g.gram(), wide), gram.clone(), exact);
            let cross = g.cross_gram(&g).expect("one model");
            close("cross_gram", double(cross, wide), gram.clone(), exact);
            let parts = g.per_parameter().into_iter().map(|(_, gram)| gram);
            let sum = parts.reduce(|a, b| a + b).expect("parameters");
            close("per_parameter", double(sum, wide), gram.clone(), exact);
            let squares = of_rows.clone() * of_rows.clone();
            let norms = squares.sum_dim(1).sqrt();
            let found = double(g.norms(), wide).reshape([EXAMPLES, 1]);
            close("norms", found, norms.clone(), exact);
            let cosine = gram.clone() / norms.clone().matmul(norms.transpose());
            close("cosine", double(g.cosine(), wide), cosine, exact);
            let sketch = double(g.sketch(64, 3), wide);
            let own = double(g.sketch_gram(64, 3), wide);
            close(
                "sketch",
                own,
                sketch.clone().matmul(sketch.transpose()),
                exact,
            );
        }
    }
}

/// Against the example-by-example reference, as far as the model's own rounding goes.
#[test]
fn gradients_in_half_precision_are_those_of_the_model() {
    for precisions in precisions() {
        let model = Model::new(precisions);
        for to in ALL {
            let rows = model.gradients(to).rows().cast(DType::F64);
            let expected = naive_rows(&model, |m| m.losses(to)).cast(DType::F64);
            // A row is rounded once in the trace and at every position in Burn's backward pass.
            let half = precisions.contains(&FloatDType::BF16) || to == FloatDType::BF16;
            let all = |wanted| precisions.iter().chain([&to]).all(|each| *each == wanted);
            let tolerance = match half {
                true => 6e-2,
                false if all(FloatDType::F64) => 1e-12,
                false => 1e-2,
            };
            close("rows", rows, expected, tolerance);
        }
    }
}

#[test]
fn every_parameter_has_its_sum_in_its_own_precision() {
    for precisions in precisions() {
        let model = Model::new(precisions);
        for to in ALL {
            let g = model.gradients(to);
            let rows = g.rows().cast(DType::F64);
            for of_coefficients in ALL {
                let c = values([EXAMPLES], 4, of_coefficients).inner();
                let expected = c
                    .clone()
                    .cast(DType::F64)
                    .reshape([1, EXAMPLES])
                    .matmul(rows.clone());
                let combined = g.combine(&c).expect("n coefficients");
                let weight = combined
                    .get::<2>(model.table.weight.id)
                    .expect("a gradient");
                assert_eq!(weight.dtype(), DType::from(precisions[0]));
                let found = weight.cast(DType::F64).reshape([1, ROWS * 5]);
                let tolerance = match precisions[0] {
                    FloatDType::F16 => 1e-3,
                    FloatDType::BF16 => 8e-3,
                    _ => 1e-5,
                };
                close("combine", found, expected.narrow(1, 0, ROWS * 5), tolerance);
                let bias = model.hidden.bias.as_ref().expect("a bias").id;
                let bias = combined.get::<1>(bias).expect("a gradient");
                assert_eq!(bias.dtype(), DType::from(precisions[1]));
                let mut adam = AdamConfig::new().init();
                let moved: Model = adam.step(1e-2, model.clone(), combined);
                assert_eq!(of(&moved.head), DType::from(precisions[2]));
            }
        }
    }
}

#[test]
fn parameters_without_a_gradient_have_none() {
    let model = Model::new([FloatDType::BF16, FloatDType::F32, FloatDType::F64]);
    let losses = |m: &Model| {
        let unused = m.losses(FloatDType::F32);
        let x: Tensor<3> = m.table.tap(tokens());
        drop(unused);
        squares(x)
    };
    let g = trace(&model, losses).expect("a tapped model").gradients;
    let c = values([EXAMPLES], 4, FloatDType::F32).inner();
    let combined = g.combine(&c).expect("n coefficients");
    let record = g.record().expect("a record");
    let restored = ExampleGradients::restored(&record, &device().inner()).expect("fits");
    let again = restored.combine(&c).expect("n coefficients");
    for gradients in [&combined, &again] {
        // As Burn's own backward pass has none for it.
        assert!(gradients.get::<2>(model.head.weight.id).is_none());
        let table = gradients
            .get::<2>(model.table.weight.id)
            .expect("a gradient");
        assert_eq!(table.dtype(), DType::BF16);
    }
    assert_eq!(g.gram().dtype(), DType::F32);
    let _: Model = AdamConfig::new().init().step(1e-2, model, combined);
}

#[test]
fn draws_of_several_precisions_meet() {
    let [half, single, double] = [FloatDType::BF16, FloatDType::F32, FloatDType::F64].map(|to| {
        let model = Model::new([FloatDType::F32; 3]);
        (model, to)
    });
    let model = half.0;
    let in_all = [half.1, single.1, double.1].map(|to| {
        let model = cast(model.clone(), to);
        model.gradients(to)
    });
    for a in &in_all {
        for b in &in_all {
            let rows = [a, b].map(|g| g.rows().cast(DType::F64));
            let [left, right] = &rows;
            let expected = left.clone().matmul(right.clone().transpose());
            let found = a.cross_gram(b).expect("one model").cast(DType::F64);
            close("cross_gram", found, expected, 2e-5);
            let both = ExampleGradients::concat(&[a.clone(), b.clone()]).expect("one model");
            close(
                "concat",
                both.rows().cast(DType::F64),
                Tensor::cat(rows.to_vec(), 0),
                1e-6,
            );
            let mut metric = Metric::whitened();
            metric.observe(a).expect("finite");
            metric.observe(b).expect("finite");
            let gram = metric.gram(a).expect("observed");
            assert!(
                crate::common::numbers(gram)
                    .iter()
                    .all(|value| value.is_finite())
            );
        }
    }
}

#[test]
fn metrics_see_half_precision_in_single() {
    for precisions in precisions() {
        let model = Model::new(precisions);
        for whitening in [
            Whitening::None,
            Whitening::Coordinates,
            Whitening::Kronecker { damping: 0.1 },
        ] {
            for part in [Part::Gradients, Part::Inputs, Part::OutputGradients] {
                let g = model.gradients(FloatDType::F32);
                let mut metric = Metric::whitened().with_whitening(whitening).with_part(part);
                metric.observe(&g).expect("finite");
                let scaled = metric.apply(&g).expect("observed");
                let rows = scaled.rows().cast(DType::F64);
                let gram = rows.clone().matmul(rows.transpose());
                // Layers without the part are left out, perhaps those in double.
                let gram_of_rows = scaled.gram();
                assert!(matches!(gram_of_rows.dtype(), DType::F32 | DType::F64));
                close("metric", gram_of_rows.cast(DType::F64), gram, 5e-5);
            }
        }
    }
}

/// Their number and their sum are above the largest number in half precision, 65 504.
#[test]
fn eighty_thousand_ones_are_finite() {
    let ones = |size: usize| Tensor::<1>::ones([size], &device());
    let many = cast(Param::from_tensor(ones(80_000)), FloatDType::F16);
    let sum = |rows: Tensor<2>| rows.cast(DType::F32).sum_dim(1).reshape([2]);
    let losses = |m: &Param<Tensor<1>>| sum(per_example::<1, 2>(m, 2));
    let g = trace(&many, losses).expect("a tapped parameter").gradients;
    assert!((crate::common::numbers(g.norms())[1] - 80_000f64.sqrt()).abs() < 1e-2);
    Metric::whitened().observe(&g).expect("finite gradients");

    // A bias at 80 000 positions: the gradient itself is too large for half precision, its half is not.
    let layer: Linear = cast(LinearConfig::new(1, 1).init(&device()), FloatDType::F16);
    let input = Tensor::<3>::ones([2, 80_000, 1], (&device(), DType::F16));
    let losses = |m: &Linear| sum(m.tap(input.clone()).reshape([2, 80_000]));
    let g = trace(&layer, losses).expect("a tapped layer").gradients;
    let bias = g.select("bias").expect("a bias");
    assert_eq!(crate::common::numbers(bias.norms()), [80_000.0; 2]);
    let half = Tensor::<1>::from_floats([0.5, 0.0], &device().inner());
    let combined = g.combine(&half).expect("n coefficients");
    let bias = layer.bias.as_ref().expect("a bias").id;
    let combined = combined.get::<1>(bias).expect("a gradient");
    assert_eq!(crate::common::numbers(combined), [40_000.0]);
}
