//! Capabilities that are composed of others.

use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use gradual_group::OneGroup;
use gradual_loss::Mean;
use gradual_runs::Evaluation;
use gradual_train::{
    CONTINUE, Capability, Drawn, Flow, Objective, Observer, Score, Task, TrainError, Trainer,
    TrainerConfig,
};
use rand_chacha::ChaCha8Rng;

use crate::common::Regression;

/// A task whose second capability has these parts.
struct Composed(Regression, Vec<Capability>);

impl Composed {
    fn new(parts: &[&str]) -> Self {
        let task = Regression::new();
        let mut capabilities = task.capabilities().to_vec();
        capabilities[1] = capabilities[1].clone().with_parts(parts.iter().copied());
        Self(task, capabilities)
    }
}

impl Task for Composed {
    type Model = <Regression as Task>::Model;
    type Batch = <Regression as Task>::Batch;

    fn capabilities(&self) -> &[Capability] {
        &self.1
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Self::Model {
        self.0.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        self.0.draw(n, random, device)
    }

    fn losses(&self, model: &Self::Model, batch: &Self::Batch) -> Tensor<1> {
        self.0.losses(model, batch)
    }

    fn evaluate(&self, model: &Self::Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

/// Keeps what capabilities were written with.
#[derive(Default)]
struct Parts(Vec<Vec<String>>);

impl Observer for Parts {
    fn evaluated(&mut self, evaluation: &Evaluation, _: f64) -> Result<Flow, TrainError> {
        self.0.push(evaluation.capabilities["rare"].parts.clone());
        Ok(CONTINUE)
    }
}

#[test]
fn parts_of_a_capability_are_written_down_or_refused() {
    let run_of = |task: &Composed| {
        let config = TrainerConfig {
            steps: 2,
            draw: 8,
            every: 1,
            ..TrainerConfig::default()
        };
        let mut written = Parts::default();
        let optimizer = AdamConfig::new().init();
        let objective = Objective::new(OneGroup, Mean);
        let trainer = Trainer::new(task, objective, optimizer, &Device::flex(), config);
        let ended = trainer.observe(&mut written).run();
        ended.map(|_| written.0).map_err(|error| error.to_string())
    };
    let run = |parts: &[&str]| run_of(&Composed::new(parts));
    assert_eq!(run(&["common"]).unwrap(), vec![vec!["common"]; 3]);
    assert_eq!(run(&[]).unwrap(), vec![Vec::<String>::new(); 3]);
    for (parts, named) in [
        (&["rare"][..], "rare"),
        (&["other"], "other"),
        (&["common", "common"], "common"),
    ] {
        assert_eq!(
            run(parts).unwrap_err(),
            format!(
                "task: capability rare names {named} among its parts; parts are names of other capabilities of the task, each \
                 once"
            )
        );
    }
    let mut both = Composed::new(&["common"]);
    both.1[0] = both.1[0].clone().with_parts(["rare"]);
    assert_eq!(
        run_of(&both).unwrap_err(),
        "task: capability common is composed of itself: common of rare of common"
    );
}
