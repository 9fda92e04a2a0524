//! A run over ranks ends on all after the same step, has a folder on rank 0, goes through finite data and phases.

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use gradual_group::{KMeans, Labels, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{
    CONTINUE, End, Epochs, Flow, Interrupt, Keep, Objective, Observer, Phase, Ranks, RunFolder,
    SeenStep, TrainError, Trainer,
};
use serde_json::json;

use crate::close::near_to;
use crate::common::products::Products;
use crate::common::{Model, Regression, weight};
use crate::several::all_ranks;
use crate::trained::{Seen, config, run, trainer};
use crate::written::written;

const STEPS: u64 = 20;

fn mean() -> Objective {
    Objective::new(OneGroup, Mean)
}

fn means() -> Objective {
    Objective::new(KMeans::new(3, 1), SumOfSquares)
}

struct Enough;

impl Observer for Enough {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        match seen.step {
            7 => Ok(Flow::Break("enough".into())),
            _ => Ok(CONTINUE),
        }
    }
}

#[test]
fn an_observer_of_rank_0_stops_all() {
    for given in [true, false] {
        let ends = all_ranks(3, |rank| {
            let ranks = Ranks::new(rank);
            let task = Products::new(0.0);
            let trainer = trainer(&task, mean(), config(STEPS)).with_ranks(&ranks);
            // That of another rank is told nothing.
            let trainer = match ranks.is_first() == given {
                true => trainer.observe(Enough),
                false => trainer,
            };
            let ended = trainer.run().unwrap();
            (ended.end, ended.step)
        });
        let expected = match given {
            true => (End::Stopped("enough".into()), 7),
            false => (End::Completed, STEPS),
        };
        assert!(ends.iter().all(|end| *end == expected), "{ends:?}");
    }
}

#[test]
fn an_interrupt_of_any_rank_stops_all() {
    let ends = all_ranks(3, |rank| {
        let ranks = Ranks::new(rank);
        let task = Products::new(0.0);
        let interrupt = Interrupt::default();
        let (asking, asks) = (interrupt.clone(), ranks.rank() == 2);
        let trainer = trainer(&task, means(), config(STEPS)).with_ranks(&ranks);
        let trainer = trainer.interrupted_by(&interrupt).watch(move |step, _| {
            if asks && step == 5 {
                asking.ask();
            }
            Ok(())
        });
        let ended = trainer.run().unwrap();
        (ended.end, ended.step)
    });
    assert!(
        ends.iter().all(|end| *end == (End::Interrupted, 5)),
        "{ends:?}"
    );
}

/// A run in a folder, up to an interruption.
fn in_folder(path: &Path, size: usize, until: Option<u64>) {
    let written = written(STEPS);
    all_ranks(size, |rank| {
        let ranks = Ranks::new(rank);
        let task = Products::new(0.0);
        let interrupt = Interrupt::default();
        let asking = interrupt.clone();
        let trainer = trainer(&task, means(), config(STEPS))
            .with_ranks(&ranks)
            .interrupted_by(&interrupt)
            .watch(move |step, _| {
                if Some(step) == until {
                    asking.ask();
                }
                Ok(())
            });
        let trainer = match ranks.is_first() {
            false => trainer,
            true => {
                let resumed = RunFolder::resume(path, &written, &json!({}), &[]).unwrap();
                let folder = resumed.folder.with_checkpoints(3, Keep::default());
                trainer.observe(folder).resume(resumed.snapshot)
            }
        };
        let ended = trainer.run().unwrap();
        assert_eq!(ended.step, until.unwrap_or(STEPS));
    });
}

#[test]
fn a_folder_of_rank_0_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| home.path().join(name));
    in_folder(&whole, 4, None);
    in_folder(&parts, 4, Some(8));
    in_folder(&parts, 4, Some(13));
    in_folder(&parts, 4, None);
    for name in ["curves.jsonl", "groups.jsonl", "members.jsonl"] {
        let [one, other] = [&whole, &parts].map(|path| fs::read(path.join(name)).unwrap());
        assert!(
            one == other && (!one.is_empty() || name == "members.jsonl"),
            "{name}"
        );
    }
}

#[test]
fn finite_data_in_epochs() {
    let train = |ranks: Option<&Ranks>| -> Vec<Vec<f32>> {
        let task = Regression::new();
        let objective = Objective::new(Labels::new(2), SumOfSquares);
        let optimizer = SgdConfig::new().init();
        let trainer = Trainer::new(&task, objective, optimizer, &Device::flex(), config(STEPS));
        let trainer = match ranks {
            Some(ranks) => trainer.with_ranks(ranks),
            None => trainer,
        };
        let mut all = Vec::new();
        let trainer = trainer.with_rate(0.05).with_sampler(Epochs::new(3));
        let trainer = trainer.watch(|_, model: &Model| {
            all.push(weight(model));
            Ok(())
        });
        trainer.run().unwrap();
        all
    };
    let alone = train(None);
    for size in [2, 4] {
        for each in all_ranks(size, |rank| train(Some(&Ranks::new(rank)))) {
            let mut pairs = each.iter().zip(&alone);
            assert!(each.len() == alone.len() && pairs.all(|(a, b)| near_to(1e-5, a, b)));
        }
    }
}

#[test]
fn a_second_phase() {
    let train = |ranks: Option<&Ranks>| {
        let task = Products::new(0.0);
        let optimizer = SgdConfig::new().init();
        let phase = Phase::new(means(), optimizer, 0.02);
        let trainer = trainer(&task, mean(), config(STEPS)).then(9, phase);
        let seen = Mutex::new(Seen::default());
        let (_, weights) = run(trainer, ranks, None, &seen).unwrap();
        let moved = seen.into_inner().unwrap().evaluations;
        (weights, moved.last().and_then(|last| last.moved))
    };
    let (alone, moved) = train(None);
    assert!(moved.unwrap() > 0.0);
    for (rank, (each, also)) in all_ranks(4, |rank| train(Some(&Ranks::new(rank))))
        .into_iter()
        .enumerate()
    {
        assert!(each.len() == alone.len());
        assert!(each.iter().zip(&alone).all(|(a, b)| near_to(1e-5, a, b)));
        // Rank 0 alone evaluates.
        assert_eq!(also.is_some(), rank == 0);
    }
}
