//! The numbers of a record are what its documentation says.

use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use gradual_grad::Metric;
use gradual_group::{Centroids, Groups, Labels, Landmarks, OneGroup};
use gradual_loss::{Composition, Mean, Scale, SumOfSquares};
use gradual_runs::{Evaluation, GroupingRecord, Record};
use gradual_train::{
    CONTINUE, Capability, Drawn, Flow, NotFinite, Objective, Observer, Sampler, Score, SeenStep,
    Snapshot, Task, TaskSize, TrainError, Trainer, TrainerConfig, Wanted,
};
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression};

#[derive(Default)]
struct Kept {
    evaluations: Vec<Evaluation>,
    groupings: Vec<GroupingRecord>,
    losses: Vec<f64>,
    snapshot: Option<Snapshot>,
}

impl Observer for Kept {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.losses.push(seen.loss);
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        self.evaluations.push(evaluation.clone());
        Ok(CONTINUE)
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        self.groupings.push(grouping.clone());
        Ok(CONTINUE)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(7)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if snapshot.step == 7 {
            self.snapshot = Some(snapshot.clone());
        }
        Ok(())
    }
}

const CONFIG: TrainerConfig = TrainerConfig {
    steps: 20,
    draw: 16,
    parts: 1,
    every: 10,
    seed: 5,
    not_finite: NotFinite::Stop,
    verify: true,
};

fn trainer<T: Task>(task: &T, objective: Objective, config: TrainerConfig) -> Trainer<'_, T> {
    let sgd = SgdConfig::new().init();
    Trainer::new(task, objective, sgd, &Device::flex(), config).with_rate(0.05)
}

/// 12 examples stand and are shown at steps 1, 6, 11 and 16, beside 20 draws of 16.
#[test]
fn standing_examples_are_counted() {
    let landmarks = || {
        Landmarks::new(2, Metric::euclidean(), 7)
            .with_examples(12)
            .unwrap()
            .with_every(5)
            .unwrap()
    };
    let centroids = || {
        Centroids::new(2, Metric::euclidean(), 7)
            .with_examples(12)
            .unwrap()
            .with_every(5)
            .unwrap()
    };
    let task = Regression::new();
    let objective = |which: &str| match which {
        "again" => Objective::new(landmarks(), SumOfSquares),
        "replaced" => Objective::new(landmarks().with_refresh(0.5).unwrap(), SumOfSquares),
        "fresh" => Objective::new(centroids(), SumOfSquares),
        _ => Objective::new(Labels::new(2), SumOfSquares),
    };
    for (which, standing, shown) in [
        ("labels", None, None),
        ("again", Some(12), Some(4 * 12)),
        // Six new ones each time. At steps 6 and 16 the draw that they leave is traced as a whole.
        ("replaced", Some(12 + 3 * 6), Some(12 + 18 + 12 + 12)),
        ("fresh", Some(4 * 12), Some(4 * 12)),
    ] {
        let mut kept = Kept::default();
        trainer(&task, objective(which), CONFIG)
            .observe(&mut kept)
            .run()
            .unwrap();
        let last = kept.evaluations.last().unwrap();
        assert_eq!(last.examples, 320, "{which}");
        assert_eq!(last.standing_examples, standing, "{which}");
        assert_eq!(
            last.gradient_evaluations,
            shown.map(|shown| 320 + shown),
            "{which}"
        );
        assert_eq!(kept.evaluations[0].standing_examples, None, "{which}");
        let line = last.to_line().unwrap();
        assert_eq!(Evaluation::from_line(&line).unwrap(), *last);
        assert_eq!(
            line.contains("standing_examples"),
            standing.is_some(),
            "{line}"
        );

        // A run that goes on counts to the same numbers.
        let mut again = Kept::default();
        let resumed = trainer(&task, objective(which), CONFIG).resume(kept.snapshot.clone());
        resumed.observe(&mut again).run().unwrap();
        assert_eq!(again.evaluations.last(), kept.evaluations.last(), "{which}");
        assert_eq!(again.groupings.last(), kept.groupings.last(), "{which}");
    }
}

/// Draws three examples, whatever it is asked for.
struct Three;

impl Sampler for Three {
    fn check(&self, _size: TaskSize) -> Result<(), TrainError> {
        Ok(())
    }

    fn next(
        &mut self,
        _step: u64,
        _n: usize,
        _size: TaskSize,
        _random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        Ok(Wanted::Of(vec![0, 0, 1]))
    }
}

#[test]
fn examples_are_those_that_were_drawn() {
    let (task, mut kept) = (Regression::new(), Kept::default());
    let objective = Objective::new(OneGroup, Mean);
    let trainer = trainer(&task, objective, CONFIG).with_sampler(Three);
    trainer.observe(&mut kept).run().unwrap();
    assert_eq!(kept.evaluations.last().unwrap().examples, 60);
    // The training loss is the mean since the evaluation before.
    let mean = kept.losses[10..].iter().sum::<f64>() / 10.0;
    let got = kept.evaluations.last().unwrap().train_loss;
    assert!((got - mean).abs() < 1e-9, "{got} {mean}");
}

/// ℓ̄_0 − ½ ℓ̄_1.
struct Against;

impl Composition for Against {
    fn value(&self, group_losses: Tensor<1>, _groups: &Groups) -> Tensor<1> {
        group_losses.clone().narrow(0, 0, 1) - group_losses.narrow(0, 1, 1) * 0.5
    }
}

/// The regression, in which some examples exercise no named capability.
struct Nameless(Regression, bool);

impl Task for Nameless {
    type Model = Model;
    type Batch = <Regression as Task>::Batch;

    fn capabilities(&self) -> &[Capability] {
        self.0.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        self.0.model(random, device)
    }

    fn draw(
        &self,
        _n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let mut drawn = self.0.draw_of(&[0, 0, 0, 1], random, device)?;
        if self.1 {
            drawn.labels[0] = None;
        }
        Ok(drawn)
    }

    fn losses(&self, model: &Model, batch: &Self::Batch) -> Tensor<1> {
        self.0.losses(model, batch)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

/// Shares are of Σ|c| over all examples: coefficients below zero count as those above, and those of examples of no
/// capability as well.
#[test]
fn shares_are_of_absolute_coefficients() {
    let shares = |nameless, objective| {
        let (task, mut kept) = (Nameless(Regression::new(), nameless), Kept::default());
        let config = TrainerConfig { steps: 2, ..CONFIG };
        trainer(&task, objective, config)
            .observe(&mut kept)
            .run()
            .unwrap();
        let shares = kept.groupings.last().unwrap().shares.clone();
        [shares["common"], shares["rare"]]
    };
    let near = |a: [f64; 2], b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    let signed = Objective::new(Labels::new(2), Against).with_scale(Scale::Raw);
    let got = shares(false, signed);
    assert!(near(got, [2.0 / 3.0, 1.0 / 3.0]), "{got:?}");
    let got = shares(true, Objective::new(OneGroup, Mean));
    assert!(near(got, [0.5, 0.25]), "{got:?}");
}
