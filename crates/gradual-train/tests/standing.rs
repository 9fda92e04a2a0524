//! Standing examples without a loss, in a run that skips steps or leaves examples out.

use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Metric;
use gradual_group::Landmarks;
use gradual_loss::SumOfSquares;
use gradual_train::{
    CONTINUE, Capability, Drawn, Flow, NotFinite, Objective, Observer, Score, SeenStep, Snapshot,
    Task, TrainError, Trainer, TrainerConfig,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::common::Regression;

const DRAW: usize = 12;
const STANDING: usize = 32;

/// A regression in which a draw of standing examples has holes now and then, or always.
struct Holes {
    inner: Regression,
    share: f64,
}

impl Task for Holes {
    type Model = crate::common::Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> crate::common::Model {
        self.inner.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let mut drawn = self.inner.draw(n, random, device)?;
        let holes = n != DRAW && random.random_bool(self.share);
        let hole = |at: usize| if holes && at % 4 == 3 { f32::NAN } else { 0.0 };
        let holes = TensorData::new((0..n).map(hole).collect::<Vec<f32>>(), [n]);
        drawn.batch.1 = drawn.batch.1 + Tensor::from_data(holes, device);
        Ok(drawn)
    }

    fn losses(&self, model: &crate::common::Model, batch: &Self::Batch) -> Tensor<1> {
        self.inner.losses(model, batch)
    }

    fn evaluate(
        &self,
        model: &crate::common::Model,
        device: &Device,
    ) -> Result<Vec<Score>, TrainError> {
        self.inner.evaluate(model, device)
    }
}

#[derive(Default)]
struct Steps {
    losses: Vec<f64>,
    snapshot: Option<Snapshot>,
}

impl Observer for Steps {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        assert_eq!(seen.step, self.losses.len() as u64 + 1);
        self.losses.push(seen.loss);
        Ok(CONTINUE)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(23)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if snapshot.step == 23 {
            self.snapshot = Some(snapshot.clone());
        }
        Ok(())
    }
}

fn landmarks() -> Landmarks {
    let landmarks = Landmarks::new(2, Metric::euclidean(), 7);
    landmarks
        .with_examples(STANDING)
        .unwrap()
        .with_every(4)
        .unwrap()
}

#[test]
fn a_run_goes_on_with_other_standing_examples() {
    let task = Holes {
        inner: Regression::new(),
        share: 0.7,
    };
    for objective in [
        (|| Objective::new(landmarks(), SumOfSquares)) as fn() -> Objective,
        || Objective::new(landmarks().with_refresh(0.5).unwrap(), SumOfSquares),
    ] {
        let run = |not_finite, from: Option<Snapshot>, steps: &mut Steps| {
            let config = TrainerConfig {
                steps: 60,
                draw: DRAW,
                parts: 1,
                every: 20,
                seed: 11,
                not_finite,
                verify: true,
            };
            steps.losses = vec![0.0; from.as_ref().map_or(0, |from| from.step as usize)];
            let sgd = SgdConfig::new().init();
            let trainer = Trainer::new(&task, objective(), sgd, &Device::flex(), config);
            trainer.with_rate(0.1).resume(from).observe(steps).run()
        };
        let stopped = run(NotFinite::Stop, None, &mut Steps::default())
            .map(drop)
            .unwrap_err();
        assert!(stopped.to_string().contains("is NaN"), "{stopped}");

        let mut steps = Steps::default();
        let ended = run(NotFinite::Skip { in_a_row: 20 }, None, &mut steps).unwrap();
        let skipped = steps.losses.iter().filter(|loss| loss.is_nan()).count();
        assert!(skipped > 0, "no standing draw had a hole");
        assert_eq!((ended.step, ended.skipped), (60, skipped as u64));
        assert_eq!(ended.standing_left_out, 0);
        let last = steps.losses.iter().rfind(|loss| loss.is_finite()).unwrap();
        assert!(*last < 0.05, "{:?}", steps.losses);
        let mut again = Steps::default();
        let resumed = run(NotFinite::Skip { in_a_row: 20 }, steps.snapshot, &mut again).unwrap();
        assert_eq!(resumed.skipped, ended.skipped);
        assert_eq!(
            format!("{:?}", &again.losses[23..]),
            format!("{:?}", &steps.losses[23..])
        );

        let mut steps = Steps::default();
        let ended = run(NotFinite::LeaveOut, None, &mut steps).unwrap();
        assert_eq!((ended.step, ended.skipped, ended.left_out), (60, 0, 0));
        assert!(ended.standing_left_out > 0, "{}", ended.standing_left_out);
        let mut again = Steps::default();
        let resumed = run(NotFinite::LeaveOut, steps.snapshot, &mut again).unwrap();
        assert_eq!(resumed.standing_left_out, ended.standing_left_out);
    }
}

/// Where every draw of standing examples has holes, skipping comes to its end.
#[test]
fn a_run_does_not_skip_for_ever() {
    let task = Holes {
        inner: Regression::new(),
        share: 1.0,
    };
    let config = TrainerConfig {
        steps: 60,
        draw: DRAW,
        not_finite: NotFinite::Skip { in_a_row: 3 },
        ..TrainerConfig::default()
    };
    let objective = Objective::new(landmarks(), SumOfSquares);
    let sgd = SgdConfig::new().init();
    let mut steps = Steps::default();
    let trainer = Trainer::new(&task, objective, sgd, &Device::flex(), config);
    let error = trainer.observe(&mut steps).run().map(drop).unwrap_err();
    assert_eq!(steps.losses.len(), 3);
    let message = error.to_string();
    assert!(
        message.starts_with("step 4") && message.contains("the loss of example 3 is NaN"),
        "{message}"
    );
}
