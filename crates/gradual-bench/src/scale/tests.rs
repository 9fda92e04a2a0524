//! Numbers by hand, and what ranks really send.

use std::thread;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use clap::Parser;
use gradual::prelude::*;
use gradual::train::{Gathering, Ranks, ThreadRank, Traffic, Trainer, TrainerConfig};
use gradual_tasks::{SparseParity, SparseParityConfig};

use super::machine::Machine;
use super::model::{Model, Shape};
use super::step::{Bytes, Memory, Operations, Sizes, Way};
use super::table;
use crate::flops::Flops;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    shape: Shape,
}

fn named(name: &str, sizes: &[&str]) -> Model {
    let words = ["scale"].iter().chain(sizes);
    let line = Line::try_parse_from(words).unwrap();
    line.shape.model(name).unwrap()
}

fn sizes(ranks: u64, examples: u64) -> Sizes {
    Sizes {
        ranks,
        examples,
        dim: 512,
        groups: 32,
    }
}

const MACHINE: Machine = Machine {
    rate: 400.0,
    link: 50.0,
    devices: 1,
};

/// LLaMA 7B has 6 738 415 616 parameters, of which 266 240 are those of norms.
#[test]
fn parameters_are_those_of_the_paper() {
    assert_eq!(named("7b", &[]).parameters(), 6_738_149_376.0);
    let line = Line::try_parse_from(["scale"]).unwrap();
    let error = line.shape.model("8b").unwrap_err().to_string();
    assert!(error.contains("100m, 1b, 7b"), "{error}");
}

#[test]
fn a_small_decoder_counts_as_by_hand() {
    let sizes_of = [
        "--blocks=1",
        "--width=2",
        "--hidden=3",
        "--vocabulary=5",
        "--context=4",
    ];
    let model = named("7b", &sizes_of);
    // Attention 4 · 2², gate 3 · 2 · 3, read-out 2 · 5, embedding 5 · 2.
    assert_eq!(model.products(), 16.0 + 18.0 + 10.0);
    assert_eq!(model.parameters(), 44.0 + 10.0);
    assert_eq!(model.sides(), 4.0 * 4.0 + 3.0 * 5.0 + 7.0 + 3.0);
    let operations = Operations::of(&model, Way::Losses, sizes(2, 6));
    // Three examples of four positions; two products of half of 4 · 4 pairs and 2 numbers, three times.
    assert_eq!(
        operations.total(),
        3.0 * (6.0 * 4.0 * 44.0 + 3.0 * 2.0 * 2.0 * 8.0 * 2.0)
    );
    let sketched = Operations::of(&model, Way::Sketches, sizes(2, 6));
    assert_eq!(sketched.sketches, 3.0 * 4.0 * 41.0 * 512.0);
    assert_eq!(sketched.inner_products, 36.0 * 512.0);
    let memory = Memory::of(&model, Way::Losses, sizes(2, 6));
    assert_eq!(memory.state, 16.0 * 54.0);
    assert_eq!((memory.gathered, memory.inner_products), (0.0, 0.0));
}

/// The ordinary step and the Gram matrix of the roofline, which leaves out the gradient of the first layer's inputs and takes each
/// pair once.
#[test]
fn a_perceptron_counts_as_in_the_roofline() {
    let widths = [20, 30, 40, 10];
    let flops = Flops::of_mlp(&widths, 64);
    let model = Model::perceptron(&widths.map(|width| width as u64));
    let operations = Operations::of(&model, Way::Factors, sizes(1, 64));
    assert_eq!(
        operations.ordinary,
        flops.ordinary as f64 + 2.0 * 64.0 * 600.0
    );
    assert_eq!(operations.inner_products, 2.0 * 64.0 * 64.0 * 170.0);
    assert_eq!(flops.gram as f64 * 128.0, operations.inner_products * 65.0);
}

/// What every rank does for the whole draw is what stops a step from scaling; what it does for its own part is not.
#[test]
fn what_grows_with_the_ranks() {
    let model = named("1b", &[]);
    for way in Way::ALL {
        let [few, many] = [8, 64].map(|ranks| MACHINE.row(&model, way, sizes(ranks, 4 * ranks)));
        assert_eq!(few.ordinary, many.ordinary);
        assert_eq!(few.operations.sketches, many.operations.sketches);
        let grows = many.operations.groups > few.operations.groups;
        assert_eq!(grows, way != Way::Losses, "{way:?}");
        if way == Way::Sketches {
            let ratio = many.operations.inner_products / few.operations.inner_products;
            assert_eq!(ratio, 64.0);
        }
    }
    // A rank of several devices is as many times faster and smaller.
    let several = Machine {
        devices: 4,
        ..MACHINE
    };
    let [one, four] =
        [MACHINE, several].map(|machine| machine.row(&model, Way::Sketches, sizes(8, 32)));
    assert_eq!(one.ordinary, 4.0 * four.ordinary);
    assert_eq!(one.gibibytes, 4.0 * four.gibibytes);
    // One rank tells nobody anything.
    assert_eq!(
        MACHINE.row(&model, Way::Sketches, sizes(1, 4)).messages,
        0.0
    );
    let bytes = Bytes::of(&model, Way::Losses, sizes(2, 8));
    assert_eq!(
        bytes.of_a_link(2),
        0.5 * (bytes.losses + 2.0 * bytes.reduced) + bytes.broadcast
    );
}

/// What every rank has sent in so many steps of a perceptron with a hidden layer on sparse parity.
fn sent(size: usize, steps: u64, gathering: Gathering, way: Way) -> Traffic {
    let config = SparseParityConfig {
        tasks: 4,
        bits: 8,
        subset: 2,
        hidden: 16,
        held_out: 4,
        ..SparseParityConfig::default()
    };
    let objective = || match way {
        Way::Losses => Objective::new(OneGroup, Mean),
        _ => Objective::new(KMeans::new(3, 1), SumOfSquares),
    };
    let one = |rank| {
        let task = SparseParity::new(config.clone(), 0).unwrap();
        let settings = TrainerConfig {
            steps,
            draw: 32,
            parts: 4,
            every: 10,
            ..TrainerConfig::default()
        };
        let ranks = Ranks::new(rank).with_gathering(gathering);
        let optimizer = SgdConfig::new().init();
        Trainer::new(&task, objective(), optimizer, &Device::flex(), settings)
            .with_rate(0.01)
            .with_ranks(&ranks)
            .run()
            .unwrap();
        ranks.traffic()
    };
    let one = &one;
    let each = thread::scope(|threads| {
        let ranks = ThreadRank::several(size).into_iter();
        let started: Vec<_> = ranks.map(|rank| threads.spawn(move || one(rank))).collect();
        let ended = started.into_iter().map(|thread| thread.join().unwrap());
        ended.collect::<Vec<_>>()
    });
    each[0]
}

/// The bytes of two and of four ranks, in twenty steps after the first ones.
#[test]
fn ranks_send_what_is_counted() {
    let model = Model::perceptron(&[12, 16, 1]);
    for size in [2, 4] {
        for way in Way::ALL {
            let gathering = match way {
                Way::Sketches => Gathering::Sketch { dim: 48, seed: 1 },
                _ => Gathering::Factors,
            };
            let [few, many] = [10, 30].map(|steps| sent(size, steps, gathering, way));
            let step = |of: fn(&Traffic) -> u64| (of(&many) - of(&few)) as f64 / 20.0;
            let sizes = Sizes {
                dim: 48,
                ..sizes(size as u64, 32)
            };
            let counted = Bytes::of(&model, way, sizes);
            assert_eq!(
                step(|traffic| traffic.broadcast),
                counted.broadcast,
                "{way:?}"
            );
            assert_eq!(step(|traffic| traffic.reduced), counted.reduced, "{way:?}");
            let more = step(|traffic| traffic.gathered) - counted.losses - counted.gradients;
            // Names and shapes of factors.
            let most = if way == Way::Factors {
                4.0 * 500.0 * size as f64
            } else {
                0.0
            };
            assert!((0.0..=most).contains(&more), "{way:?} of {size}: {more}");
        }
    }
}

/// The page quotes the command.
#[test]
fn the_page_has_the_table() {
    let page = include_str!("../../../../docs/scale.md");
    let model = named("7b", &[]);
    let rows: Vec<_> = [1, 8, 64, 1_024]
        .into_iter()
        .flat_map(|ranks| Way::ALL.map(|way| MACHINE.row(&model, way, sizes(ranks, 4 * ranks))))
        .collect();
    let text = table::text(model.parameters(), &rows);
    for line in text.lines() {
        assert!(
            page.contains(line),
            "docs/scale.md lacks a line of the table:\n{text}"
        );
    }
}
