//! Every sampler and every optimizer of the registry.

mod common;

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Tap;
use gradual_group::{Grouping, Labels, Landmarks};
use gradual_loss::SumOfSquares;
use gradual_registry::{Spec, Value};
use gradual_train::registry::{LENSES, LensContext, OPTIMIZERS, SAMPLERS, SamplerContext};
use gradual_train::{
    Capability, Curriculum, Drawn, Mixture, Objective, Observer, Sampler, Score, Snapshot,
    Stratified, Task, TaskSize, TrainError, Trainer, TrainerConfig, Wanted,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIZE: TaskSize = TaskSize {
    num_capabilities: 4,
    num_items: Some(7),
};

/// The third capability is never trained.
fn context(steps: u64) -> SamplerContext {
    SamplerContext {
        frequencies: vec![0.6, 0.3, 0.0, 0.1],
        steps,
    }
}

fn sampler(spec: &Spec, steps: u64) -> Box<dyn Sampler> {
    SAMPLERS.build(spec, context(steps)).unwrap()
}

/// What it asks for in the steps `from` to `to`.
fn asked(
    sampler: &mut dyn Sampler,
    n: usize,
    random: &mut ChaCha8Rng,
    steps: [u64; 2],
) -> Vec<Wanted> {
    let [from, to] = steps;
    let each = (from..=to).map(|step| sampler.next(step, n, SIZE, random).unwrap());
    each.collect()
}

#[test]
fn every_sampler_draws_trained_capabilities_alone() {
    for entry in SAMPLERS.iter() {
        let spec = SAMPLERS.resolve(&Spec::new(entry.name)).unwrap();
        assert_eq!(spec.parameters.len(), entry.parameters.len());
        let mut own = sampler(&spec, 10);
        own.check(SIZE).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let before = asked(&mut *own, 9, &mut random, [1, 5]);
        for wanted in &before {
            assert_eq!(wanted.num_examples(), 9, "{}", entry.name);
            match wanted {
                Wanted::Any(_) => {}
                Wanted::Of(each) => assert!(each.iter().all(|&at| at < 4 && at != 2)),
                Wanted::Items(items) => assert!(items.iter().all(|&item| item < 7)),
            }
        }
        for step in [1, 5, 10] {
            if let Some(frequencies) = own.frequencies(step, SIZE) {
                assert!((frequencies.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                assert_eq!((frequencies.len(), frequencies[2]), (4, 0.0));
            }
        }
        // One that takes up its state goes on with the same examples.
        let mut other = sampler(&spec, 10);
        other.restore(&own.state().unwrap()).unwrap();
        let (mut a, mut b) = (random.clone(), random);
        let wanted = [
            asked(&mut *own, 9, &mut a, [6, 10]),
            asked(&mut *other, 9, &mut b, [6, 10]),
        ];
        assert_eq!(wanted[0], wanted[1], "{}", entry.name);
    }
}

/// As their constructors, called by hand.
#[test]
fn samplers_are_what_they_say() {
    let spec = |text: &str| text.parse::<Spec>().unwrap();
    let balanced = || Mixture::new(&[1.0, 1.0, 0.0, 1.0]).unwrap();
    let own = || Mixture::new(&context(1).frequencies).unwrap();
    let reweighted = |factor: f64| {
        let mut weights = context(1).frequencies;
        weights[1] *= factor;
        weights
    };
    let curriculum = |until: u64, linear| {
        let phases = Curriculum::new(vec![(1, balanced()), (until + 1, own())]).unwrap();
        if linear { phases.linear() } else { phases }
    };
    let pairs: Vec<(&str, Box<dyn Sampler>)> = vec![
        ("balanced", Box::new(balanced())),
        (
            "reweighted(capability = 1, factor = 0.5)",
            Box::new(Mixture::new(&reweighted(0.5)).unwrap()),
        ),
        (
            "reweighted(capability = 1, factor = 0)",
            Box::new(Mixture::new(&reweighted(0.0)).unwrap()),
        ),
        (
            "reweighted(capability = 1, factor = alone)",
            Box::new(Mixture::new(&[0.0, 1.0, 0.0, 0.0]).unwrap()),
        ),
        ("curriculum", Box::new(curriculum(5, true))),
        (
            "curriculum(until = 0.3, linear = false)",
            Box::new(curriculum(3, false)),
        ),
        (
            "stratified",
            Box::new(Stratified::new([0, 1, 3], 3).unwrap()),
        ),
        (
            "stratified(capabilities = 2)",
            Box::new(Stratified::new([0, 1, 3], 2).unwrap()),
        ),
    ];
    for (text, mut by_hand) in pairs {
        let mut named = sampler(&spec(text), 11);
        let random = || ChaCha8Rng::seed_from_u64(5);
        let wanted = asked(&mut *named, 8, &mut random(), [1, 11]);
        assert_eq!(
            wanted,
            asked(&mut *by_hand, 8, &mut random(), [1, 11]),
            "{text}"
        );
    }
    let mut task = sampler(&spec("task"), 5);
    let random = || ChaCha8Rng::seed_from_u64(5);
    assert_eq!(
        asked(&mut *task, 8, &mut random(), [1, 1]),
        [Wanted::Any(8)]
    );
    let orders = ["epochs", "epochs(seed = 1)"]
        .map(|text| asked(&mut *sampler(&spec(text), 5), 7, &mut random(), [1, 3]));
    assert_ne!(orders[0], orders[1]);
    for (text, words) in [
        ("stratified(capabilities = 4)", "4 different capabilities"),
        (
            "reweighted(capability = 4)",
            "capability = 4, but the task has 4 capabilities, counted from 0",
        ),
        // The third is never trained, so that nothing is left.
        ("reweighted(capability = 2, factor = 1e6)", "never trained"),
    ] {
        let error = SAMPLERS.build(&spec(text), context(5)).err().unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn parameters_refuse_what_they_can_not_be() {
    fn check<C: Clone, T>(registry: &gradual_registry::Registry<C, T>, context: &C) {
        for entry in registry.iter() {
            for parameter in entry.parameters {
                for value in parameter.refused() {
                    let mut spec = Spec::new(entry.name);
                    spec.parameters.insert(parameter.name.to_owned(), value);
                    let error = registry.build(&spec, context.clone()).err().unwrap();
                    assert!(error.to_string().contains(parameter.name), "{error}");
                }
            }
        }
    }
    check(&SAMPLERS, &context(10));
    check(&OPTIMIZERS, &());
    let landmarks = |metric, groups: usize| {
        let landmarks = Landmarks::new(groups, metric, 0).with_examples(500)?;
        Ok(Box::new(landmarks) as Box<dyn Grouping>)
    };
    let context = LensContext {
        layers: vec![String::from("*")],
        grouping: Arc::new(landmarks),
    };
    check(&LENSES, &context);
    for entry in LENSES.iter() {
        let spec = LENSES.resolve(&Spec::new(entry.name)).unwrap();
        assert_eq!(spec.parameters.len(), entry.parameters.len());
        LENSES
            .build(&spec, context.clone())
            .unwrap()
            .check()
            .unwrap();
        // What it prints is read again.
        assert_eq!(spec.to_string().parse::<Spec>().unwrap(), spec);
    }
}

/// Parameters of every rank that models have, biases among them.
#[derive(Module, Debug)]
struct Model {
    conv: Conv1d,
    hidden: Linear,
    norm: LayerNorm,
    readout: Linear,
}

/// Entries in ±½. They are drawn on the host: tests that run side by side share the random numbers of the device.
fn drawn<const D: usize>(
    shape: [usize; D],
    random: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let size = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..size).map(|_| random.random_range(-0.5..0.5)).collect();
    Param::from_data(TensorData::new(values, shape), device)
}

impl Model {
    fn new(random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut model = Self {
            conv: Conv1dConfig::new(1, 2, 2).init(device),
            hidden: LinearConfig::new(4, 6).init(device),
            norm: LayerNormConfig::new(6).init(device),
            readout: LinearConfig::new(6, 1).init(device),
        };
        model.conv.weight = drawn([2, 1, 2], random, device);
        model.conv.bias = Some(drawn([2], random, device));
        model.hidden.weight = drawn([4, 6], random, device);
        model.hidden.bias = Some(drawn([6], random, device));
        model.readout.weight = drawn([6, 1], random, device);
        model.readout.bias = Some(drawn([1], random, device));
        model
    }

    fn output(&self, x: Tensor<2>) -> Tensor<1> {
        let [n, d] = x.dims();
        let h = tanh(self.conv.tap(x.reshape([n, 1, d]))).reshape([n, 4]);
        self.readout
            .tap(self.norm.tap(tanh(self.hidden.tap(h))))
            .reshape([n])
    }

    fn numbers(&self) -> Vec<u32> {
        let flat = |values: TensorData| values.try_to_vec::<f32>().unwrap();
        let mut all = flat(self.conv.weight.val().into_data());
        all.extend(flat(self.hidden.weight.val().into_data()));
        all.extend(flat(self.hidden.bias.as_ref().unwrap().val().into_data()));
        all.extend(flat(self.norm.gamma.val().into_data()));
        all.extend(flat(self.readout.weight.val().into_data()));
        all.into_iter().map(f32::to_bits).collect()
    }
}

/// y = x₀ − x₁ x₂.
struct Fit([Capability; 2]);

impl Task for Fit {
    type Model = Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        Model::new(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let x: Vec<f32> = (0..3 * n).map(|_| random.random_range(-1.0..1.0)).collect();
        let y: Vec<f32> = x.chunks(3).map(|x| x[0] - x[1] * x[2]).collect();
        let labels = y.iter().map(|&y| Some(usize::from(y > 0.0))).collect();
        let batch = (
            Tensor::from_data(TensorData::new(x, [n, 3]), device),
            Tensor::from_data(TensorData::new(y, [n]), device),
        );
        Ok(Drawn::new(batch, labels))
    }

    fn losses(&self, model: &Model, (x, y): &Self::Batch) -> Tensor<1> {
        (model.output(x.clone()) - y.clone()).powi_scalar(2)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        let Drawn { batch, .. } = self.draw(256, &mut random, device)?;
        let loss = self.losses(model, &batch).mean().into_scalar::<f32>();
        Ok(vec![Score::new(0.0, f64::from(loss)); 2])
    }
}

#[derive(Default)]
struct Kept(Option<Snapshot>);

impl Observer for Kept {
    fn checkpoint_every(&self) -> Option<u64> {
        Some(40)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if snapshot.step == 40 {
            self.0 = Some(snapshot.clone());
        }
        Ok(())
    }
}

fn trained(
    optimizer: ModuleOptimizer,
    rate: f64,
    from: Option<Snapshot>,
    kept: &mut Kept,
) -> Model {
    let task = Fit(["below", "above"].map(|name| Capability::new(name, 0.0, 0.5)));
    let config = TrainerConfig {
        steps: 80,
        draw: 32,
        every: 40,
        seed: 3,
        ..TrainerConfig::default()
    };
    let objective = Objective::new(Labels::new(2), SumOfSquares);
    let trainer = Trainer::new(&task, objective, optimizer, &Device::flex(), config);
    let ended = trainer
        .with_rate(rate)
        .resume(from)
        .observe(kept)
        .run()
        .unwrap();
    ended.model
}

fn loss(model: &Model) -> f32 {
    let task = Fit(["below", "above"].map(|name| Capability::new(name, 0.0, 0.5)));
    task.evaluate(&model.valid(), &Device::flex()).unwrap()[0].loss as f32
}

/// A model with parameters of all ranks learns under each, and a run that stops goes on to the same bits.
#[test]
fn every_optimizer_trains_and_resumes() {
    let device = Device::flex().autodiff();
    let before = loss(&Model::new(&mut ChaCha8Rng::seed_from_u64(3), &device));
    for entry in OPTIMIZERS.iter() {
        let optimizer = || OPTIMIZERS.build(&Spec::new(entry.name), ()).unwrap();
        let rate = 0.02;
        let mut kept = Kept::default();
        let model = trained(optimizer(), rate, None, &mut kept);
        let after = loss(&model);
        assert!(after < 0.5 * before, "{}: {before} to {after}", entry.name);
        let resumed = trained(optimizer(), rate, kept.0, &mut Kept::default());
        assert_eq!(model.numbers(), resumed.numbers(), "{}", entry.name);
        // All parameters of the entry do something.
        for parameter in entry.parameters {
            let spec = OPTIMIZERS.resolve(&Spec::new(entry.name)).unwrap();
            let other = match (parameter.name, &spec.parameters[parameter.name]) {
                ("weight_decay", _) => Value::Number(0.3),
                ("dampening", _) => Value::Number(0.2),
                ("epsilon", _) => Value::Number(1e-2),
                ("floor", _) => Value::Number(0.5),
                ("momentum", Value::Number(0.0)) => Value::Number(0.5),
                (_, Value::Number(number)) => Value::Number(number / 2.0),
                (_, Value::Count(count)) => Value::Count(count - 1),
                (_, Value::Flag(flag)) => Value::Flag(!flag),
                (_, Value::Word(_)) => Value::Word(String::from("original")),
                (_, other) => panic!("no other value for {other}"),
            };
            let mut spec = Spec::new(entry.name);
            if parameter.name == "cautious" {
                spec.parameters
                    .insert(String::from("weight_decay"), Value::Number(0.3));
            }
            let unchanged = match parameter.name {
                "cautious" => {
                    let optimizer = OPTIMIZERS.build(&spec, ()).unwrap();
                    trained(optimizer, rate, None, &mut Kept::default()).numbers()
                }
                _ => model.numbers(),
            };
            spec.parameters.insert(parameter.name.to_owned(), other);
            let optimizer = OPTIMIZERS.build(&spec, ()).unwrap();
            let changed = trained(optimizer, rate, None, &mut Kept::default());
            assert_ne!(
                changed.numbers(),
                unchanged,
                "{}: {}",
                entry.name,
                parameter.name
            );
        }
    }
}

#[test]
fn adam_is_what_runs_had_before() {
    let named = OPTIMIZERS.build(&Spec::new("adam"), ()).unwrap();
    let by_hand = AdamConfig::new().with_epsilon(1e-8).init();
    let [a, b] = [named, by_hand].map(|adam| trained(adam, 1e-2, None, &mut Kept::default()));
    assert_eq!(a.numbers(), b.numbers());
}

/// The least and the largest number of every parameter: whatever is built moves a layer or leaves it, and nothing
/// panics.
#[test]
fn the_ends_of_every_range_are_safe() {
    let device = Device::flex().autodiff();
    let layer: Linear = LinearConfig::new(3, 2).init(&device);
    let x = Tensor::<2>::ones([4, 3], &device);
    for entry in OPTIMIZERS.iter() {
        for parameter in entry.parameters {
            for value in parameter.extremes() {
                let spec = Spec::new(entry.name).with(parameter.name, value);
                let mut optimizer = OPTIMIZERS.build(&spec, ()).unwrap();
                for _ in 0..2 {
                    let loss = (layer.forward(x.clone()) - 1.0).powi_scalar(2).mean();
                    let update = burn::optim::GradientsParams::from_grads(loss.backward(), &layer);
                    let moved = optimizer.step(0.01, layer.clone(), update);
                    assert_eq!(moved.weight.dims(), [3, 2], "{spec}");
                }
            }
        }
    }
    for entry in SAMPLERS.iter() {
        for parameter in entry.parameters {
            for value in parameter.extremes() {
                let spec = Spec::new(entry.name).with(parameter.name, value);
                match SAMPLERS.build(&spec, context(11)) {
                    Ok(mut sampler) => {
                        let mut random = ChaCha8Rng::seed_from_u64(5);
                        asked(&mut *sampler, 8, &mut random, [1, 11]);
                    }
                    Err(error) => assert!(!error.to_string().is_empty(), "{spec}"),
                }
            }
        }
    }
}

/// No name stands twice in what a sampler says of itself.
#[test]
fn a_sampler_is_named_once() {
    let refused = SAMPLERS.build(&"stratified(capabilities = 4)".parse().unwrap(), context(5));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "sampler stratified: 4 different capabilities were asked for in each draw, of 3"
    );
    let refused = SAMPLERS.build(&"curriculum(until = 0.05)".parse().unwrap(), context(5));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "sampler curriculum: until = 0.05 of 5 steps is less than one step; give a larger share"
    );
    // Not in the square of their number.
    let many = Stratified::new(0..1_000_000, 2).unwrap();
    drop(many);
    assert!(Stratified::new([0, 1, 0], 2).is_err());
}

/// What groups are composed by is checked against the grouping before the first step.
#[test]
fn an_objective_is_checked_before_the_first_step() {
    use gradual_group::SingularVectors;
    use gradual_loss::registry::{COMPOSITIONS, RULES, RuleContext};
    use gradual_loss::{Mean, Scale};

    let refused = |objective: &Objective| objective.check(16).unwrap_err().to_string();
    let composition = |text: &str| COMPOSITIONS.build(&text.parse().unwrap(), ()).unwrap();
    assert_eq!(
        refused(&Objective::new(
            Labels::new(4),
            composition("dro(adjustment = 1, sizes = [1, 2])")
        )),
        "group DRO: its settings are of 2 groups, but the grouping has 4"
    );
    assert_eq!(
        refused(&Objective::new(
            Labels::new(4),
            composition("excess(reference = [1])")
        )),
        "excess loss: its settings are of 1 group, but the grouping has 4"
    );
    // The one whose settings they are, not the one around it.
    let excess = composition("excess(reference = [1])");
    let around = gradual_loss::RunningMeans::new(excess, 0.9).unwrap();
    assert_eq!(
        refused(&Objective::new(Labels::new(4), around)),
        "excess loss: its settings are of 1 group, but the grouping has 4"
    );
    // Groups that come and go have no settings of their own.
    let tracked = || gradual_group::Tracked::new(gradual_group::KMeans::new(2, 0));
    let found = Objective::new(tracked(), composition("excess(reference = [1, 1])"));
    assert!(refused(&found).starts_with(
        "excess loss: its settings are of 2 groups, and how many groups there will be is not known before"
    ));
    let priors = gradual_group::Priors::new(tracked(), vec![1.0, 2.0]).unwrap();
    assert!(
        refused(&Objective::new(priors, composition("squares"))).contains("2 weights were given")
    );
    Objective::new(tracked(), composition("dro"))
        .check(16)
        .unwrap();
    let fits = Objective::new(
        Labels::new(2),
        composition("dro(adjustment = 1, sizes = [1, 2])"),
    );
    fits.check(16).unwrap();
    let svd = SingularVectors::default;
    for text in ["mean", "cvar", "dro", "power(p = 3)"] {
        let message = refused(&Objective::new(svd(), composition(text)));
        assert!(
            message.contains("take the composition squares, or memberships without signs"),
            "{message}"
        );
    }
    Objective::new(svd(), composition("squares"))
        .check(16)
        .unwrap();
    Objective::new(SingularVectors::squared(), composition("mean"))
        .check(16)
        .unwrap();
    for entry in RULES.iter() {
        let rule = RULES.build(&Spec::new(entry.name), RuleContext { seed: 1 });
        let message = refused(&Objective::on_gradients(svd(), rule.unwrap()));
        assert!(message.contains("the groups are signed"), "{message}");
    }
    let scaled = Objective::new(svd(), SumOfSquares).with_scale(Scale::UnitSum);
    assert!(refused(&scaled).starts_with("scale unit-sum: the groups are signed"));
    let looking = Objective::new(Labels::new(4), Mean).looking_at(&["a.*"]);
    assert!(refused(&looking).contains("only a rule on group gradients looks at layers"));
}

/// Muon moves a matrix by an orthogonal one, up to what five Newton-Schulz iterations leave, and a bias as AdamW does.
#[test]
fn muon_moves_matrices_by_orthogonal_ones() {
    let device = Device::flex().autodiff();
    let muon = |text: &str| OPTIMIZERS.build(&text.parse().unwrap(), ()).unwrap();
    let (d, e, rate) = (5, 3, 0.01);
    device.seed(1);
    let layer: Linear = LinearConfig::new(d, e).init(&device);
    let x: Vec<f32> = (0..8 * d).map(|i| ((i * i + 3) as f32).sin()).collect();
    let x = Tensor::<2>::from_data(TensorData::new(x, [8, d]), &device);
    let update = |layer: &Linear| {
        let loss = (layer.forward(x.clone()) - 1.0).powi_scalar(2).mean();
        burn::optim::GradientsParams::from_grads(loss.backward(), layer)
    };
    for (text, factor) in [
        ("muon(adjustment = original)", (5.0f64 / 3.0).sqrt()),
        ("muon", 0.2 * 5.0f64.sqrt()),
    ] {
        let moved = muon(text).step(rate, layer.clone(), update(&layer));
        let change = (layer.weight.val() - moved.weight.val()).inner() / (rate * factor);
        // [e, e], the identity for orthonormal columns.
        let gram = change.clone().transpose().matmul(change);
        let gram: Vec<f32> = gram.into_data().try_to_vec().unwrap();
        for (at, &entry) in gram.iter().enumerate() {
            let on_diagonal = at % (e + 1) == 0;
            let expected = if on_diagonal { 1.0 } else { 0.0 };
            assert!((entry - expected).abs() < 0.55, "{text}: {gram:?}");
        }
        let trace: f32 = gram.iter().step_by(e + 1).sum();
        assert!((1.5..4.5).contains(&trace), "{text}: {gram:?}");

        let adamw = OPTIMIZERS
            .build(&"adamw(weight_decay = 0)".parse().unwrap(), ())
            .unwrap();
        let mut adamw = adamw;
        let by_adamw = adamw.step(rate, layer.clone(), update(&layer));
        let bias = |layer: &Linear| -> Vec<f32> {
            layer
                .bias
                .as_ref()
                .unwrap()
                .val()
                .into_data()
                .try_to_vec()
                .unwrap()
        };
        assert_eq!(bias(&moved), bias(&by_adamw));
        assert_ne!(bias(&moved), bias(&layer));
    }
}
