//! Layers that a draw does not use: experts that nothing was routed to, dropped layers.

mod common;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use gradual_grad::{
    ExampleGradients, GradError, Metric, Tap, TiedReadout, Tracer, Warning, naive_rows,
};

use common::{close, device, double, filled, squares, values};

#[derive(Module, Debug)]
struct Experts {
    trunk: Linear,
    experts: [Linear; 3],
}

impl Experts {
    fn new() -> Self {
        let device = device();
        double(filled(Self {
            trunk: LinearConfig::new(3, 4).init(&device),
            experts: [0, 1, 2].map(|_| LinearConfig::new(4, 2).init(&device)),
        }))
    }

    /// Every example goes through the expert that it is routed to; an expert without examples is not called.
    fn losses(&self, x: &Tensor<2>, route: &[usize]) -> Tensor<1> {
        let hidden = self.trunk.tap(x.clone()).tanh();
        self.routed(hidden, route, |expert, hidden| expert.tap(hidden))
    }

    fn routed(
        &self,
        hidden: Tensor<2>,
        route: &[usize],
        run: impl Fn(&Linear, Tensor<2>) -> Tensor<2>,
    ) -> Tensor<1> {
        let called = self.experts.iter().enumerate();
        let called = called.filter(|(at, _)| route.contains(at));
        let outputs = called.map(|(at, expert)| {
            let own: Vec<f64> = route
                .iter()
                .map(|&to| f64::from(u8::from(to == at)))
                .collect();
            let own = TensorData::new(own, [route.len(), 1]);
            let own = Tensor::<2>::from_data(own, (&hidden.device(), hidden.dtype()));
            run(expert, hidden.clone()) * own
        });
        squares(outputs.reduce(|sum, output| sum + output).expect("a route"))
    }
}

fn inputs(n: usize) -> Tensor<2> {
    values([n, 3], 5, burn::tensor::FloatDType::F64)
}

fn paths(update: &GradientsParams, model: &Experts) -> Vec<bool> {
    let own = |layer: &Linear| update.get::<2>(layer.weight.id).is_some();
    std::iter::once(&model.trunk)
        .chain(&model.experts)
        .map(own)
        .collect()
}

#[test]
fn an_expert_without_examples() {
    let (model, x) = (Experts::new(), inputs(5));
    let tracer = Tracer::default().allow_unused("experts.*");
    for route in [[0, 2, 0, 2, 2], [1, 1, 1, 1, 1], [0, 1, 2, 1, 0]] {
        let losses = |m: &Experts| m.losses(&x, &route);
        let gradients = tracer.trace(&model, losses).expect("allowed").gradients;
        let reference = naive_rows(&model, losses);
        close("rows", gradients.rows(), reference.clone(), 1e-10);
        let gram = reference.clone().matmul(reference.transpose());
        close("gram", gradients.gram(), gram, 1e-10);
        // Its optimizer leaves an unused expert alone, as after Burn's own backward pass.
        let update = gradients
            .combine(&Tensor::ones([5], &device()))
            .expect("5 coefficients");
        let own = GradientsParams::from_grads(losses(&model).sum().backward(), &model);
        assert_eq!(paths(&update, &model), paths(&own, &model));
        let coverage = gradients.coverage();
        let unused = coverage
            .unused()
            .filter(|path| path.ends_with("weight"))
            .count();
        assert_eq!(
            unused,
            [0, 1, 2].iter().filter(|&at| !route.contains(at)).count()
        );
        assert_eq!(coverage.to_string().contains("not used"), unused > 0);
    }
}

#[test]
fn draws_that_use_other_experts_go_together() {
    let (model, x) = (Experts::new(), inputs(4));
    let tracer = Tracer::default().allow_unused("experts.*");
    let routes = [[0; 4], [1, 2, 1, 1]];
    let draws = routes.map(|route| {
        let traced = tracer.trace(&model, |m| m.losses(&x, &route));
        traced.expect("allowed").gradients
    });
    let rows = routes.map(|route| naive_rows(&model, |m| m.losses(&x, &route)));
    let products = rows[0].clone().matmul(rows[1].clone().transpose());
    let found = draws[0].cross_gram(&draws[1]).expect("one model");
    close("cross", found, products, 1e-10);
    let joined = ExampleGradients::concat(&draws).expect("one model");
    close(
        "joined",
        joined.rows(),
        Tensor::cat(rows.to_vec(), 0),
        1e-10,
    );

    let record = joined.record().expect("readable");
    let restored = ExampleGradients::restored(&record, &Device::flex()).expect("its own");
    assert_eq!(restored.record().expect("readable"), record);
    let record = draws[0].record().expect("readable");
    let restored = ExampleGradients::restored(&record, &Device::flex()).expect("its own");
    assert_eq!(restored.coverage(), draws[0].coverage());

    let mut metric = Metric::whitened();
    draws
        .iter()
        .for_each(|draw| metric.observe(draw).expect("finite"));
    let found = metric.apply(&joined).expect("observed").gram();
    let found: Vec<f64> = found.into_data().try_to_vec().expect("f64");
    assert!(found.iter().all(|entry| entry.is_finite()));
}

#[test]
fn what_is_not_allowed_is_still_an_error() {
    let (model, x) = (Experts::new(), inputs(4));
    let route = [0, 0, 2, 2];
    let losses = |m: &Experts| m.losses(&x, &route);
    let error = Tracer::default()
        .trace(&model, losses)
        .expect_err("an expert is missing");
    let GradError::Uncovered { paths } = &error else {
        panic!("{error}")
    };
    assert_eq!(*paths, ["experts.1.weight", "experts.1.bias"]);
    assert!(
        error.to_string().contains("`Tracer::allow_unused`"),
        "{error}"
    );
    // Another path than the one that is allowed.
    let others = Tracer::default().allow_unused("experts.0.*");
    assert!(matches!(
        others.trace(&model, losses),
        Err(GradError::Uncovered { .. })
    ));
    let unknown = Tracer::default().allow_unused("expert.*");
    assert!(matches!(
        unknown.trace(&model, losses),
        Err(GradError::Glob { .. })
    ));

    // Used round its tap, an expert is not unused.
    let tracer = Tracer::default().allow_unused("experts.*");
    for on in [model.clone(), model.valid()] {
        let around = tracer.trace(&on, |m| {
            let hidden = m.trunk.tap(x.clone()).tanh();
            m.routed(hidden, &route, |expert, hidden| expert.forward(hidden))
        });
        let error = around.expect_err("round the tap");
        let GradError::Unseen { paths } = &error else {
            panic!("{error}")
        };
        assert_eq!(paths.len(), 4, "{error}");
        let bypassed = tracer.trace(&on, |m| {
            let hidden = m.trunk.tap(x.clone()).tanh();
            on.routed(hidden, &route, |expert, hidden| expert.tap(hidden))
        });
        assert!(matches!(bypassed, Err(GradError::Bypassed)));
    }
}

#[test]
fn verify_knows_of_it() {
    let (model, x) = (Experts::new(), inputs(6));
    let route = [0, 2, 0, 2, 2, 0];
    let tracer = Tracer::default().allow_unused("experts.*");
    let verified = tracer
        .verify(&model, |m| m.losses(&x, &route))
        .expect("right");
    let paths = ["experts.1.weight", "experts.1.bias"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(verified.warnings, [Warning::Zero { paths }]);
    let around = tracer.verify(&model, |m| {
        let hidden = m.trunk.tap(x.clone()).tanh();
        m.routed(hidden, &route, |expert, hidden| expert.forward(hidden))
    });
    assert!(matches!(around, Err(GradError::Unseen { .. })));
}

#[test]
fn burns_own_update_is_restricted_to_what_is_traced() {
    let (model, x) = (Experts::new(), inputs(4));
    let losses = |m: &Experts| m.losses(&x, &[0, 1, 2, 1]);
    let own = || GradientsParams::from_grads(losses(&model).sum().backward(), &model);
    let tracer = Tracer::default().without("trunk.*").without("*.1.*");
    let restricted = tracer.restrict(&model, own()).expect("known");
    assert_eq!(paths(&restricted, &model), [false, true, false, true]);
    let traced = tracer.trace(&model, losses).expect("covered").gradients;
    let update = traced
        .combine(&Tensor::ones([4], &device()))
        .expect("4 coefficients");
    assert_eq!(paths(&update, &model), [false, true, false, true]);
    let all = Tracer::default().restrict(&model, own()).expect("known");
    assert_eq!(paths(&all, &model), [true; 4]);
    let unknown = Tracer::default().without("nowhere").restrict(&model, own());
    assert!(matches!(unknown, Err(GradError::Glob { .. })));
}

/// Burn has no operation on tensors of two gradient-checkpointing strategies, and panics.
#[test]
fn inputs_with_another_checkpointing_strategy() {
    let ordinary = Device::flex().autodiff();
    let checkpointing = ordinary.clone().gradient_checkpointing();
    let on = |device: &Device| LinearConfig::new(3, 2).init(device);
    let inputs = |device: &Device| Tensor::<2>::random([4, 3], Distribution::Default, device);
    for (model, x) in [
        (on(&Device::flex()), inputs(&checkpointing)),
        (on(&ordinary), inputs(&checkpointing)),
        (on(&checkpointing), inputs(&ordinary)),
    ] {
        let tapped = |m: &Linear| squares(m.tap(x.clone()));
        let plain = |m: &Linear| squares(m.forward(x.clone()));
        let both: [&dyn Fn(&Linear) -> Tensor<1>; 2] = [&tapped, &plain];
        for losses in both {
            let traced = gradual_grad::trace(&model, losses).expect_err("two strategies");
            assert!(matches!(traced, GradError::Checkpointing), "{traced}");
            let verified = gradual_grad::verify(&model, losses).expect_err("two strategies");
            assert!(matches!(verified, GradError::Checkpointing), "{verified}");
        }
        // The thread can trace again.
        let fine = inputs(&model.weight.val().device());
        gradual_grad::trace(&model, |m| m.tap(fine).sum_dim(1).reshape([4])).expect("one strategy");
    }
    let untold = std::panic::catch_unwind(|| {
        gradual_grad::trace(&on(&Device::flex()), |_| panic!("the closure's own"))
    });
    assert!(untold.is_err());
}

#[derive(Module, Debug)]
struct Reader {
    words: Embedding,
    middle: Linear,
}

impl Reader {
    fn losses(&self, words: &Tensor<2, Int>, size: f64) -> Tensor<1> {
        let hidden = self.middle.tap(self.words.tap(words.clone())).tanh();
        let [n, t] = words.dims();
        let logits = self.words.readout(hidden).reshape([n, t * 7]);
        squares(logits).mul_scalar(size)
    }
}

/// Cosines of gradients whose squares single precision does not hold.
#[test]
fn gradients_of_any_size_have_cosines() {
    let device = device();
    let model = filled(Reader {
        words: EmbeddingConfig::new(7, 4).init(&device),
        middle: LinearConfig::new(4, 4).init(&device),
    });
    let data = TensorData::new(vec![1i64, 2, 6, 0, 0, 3, 5, 4, 4, 2, 2, 1], [4, 3]);
    let words = Tensor::<2, Int>::from_data(data, &device);
    let of = |size: f64| {
        let traced = gradual_grad::trace(&model, |m| m.losses(&words, size));
        traced.expect("covered").gradients
    };
    let plain = of(1.0);
    let (same, unit) = plain.in_range();
    assert_eq!(unit.into_scalar::<f32>(), 1.0);
    assert_eq!(same.gram().into_data(), plain.gram().into_data());
    for size in [1e20, 1e-20, 1e30, 1e-30] {
        let found = of(size);
        close("cosine", found.cosine(), plain.cosine(), 1e-4);
        let (in_range, unit) = found.in_range();
        let unit = unit.into_scalar::<f32>();
        let norms = in_range.norms().mul_scalar(f64::from(unit) / size);
        close("norms", norms, plain.norms(), 1e-4);
    }
    // Large inputs with small output-gradients.
    let layer: Linear = filled(LinearConfig::new(3, 2).init(&device));
    let x = values([4, 3], 1, burn::tensor::FloatDType::F32);
    let of = |size: f64| {
        let x = x.clone().mul_scalar(size);
        let traced = gradual_grad::trace(&layer, |m| {
            m.tap(x).sum_dim(1).reshape([4]).div_scalar(size)
        });
        traced
            .expect("covered")
            .gradients
            .select("weight")
            .expect("there")
    };
    for size in [1e22, 1e-22] {
        close("cosine", of(size).cosine(), of(1.0).cosine(), 1e-5);
    }
}
