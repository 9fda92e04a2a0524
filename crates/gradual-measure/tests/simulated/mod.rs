//! Tables of claims whose truth is known, judged.

#![allow(dead_code)] // the test and the example use different parts

use gradual_measure::statistics::{deviation, mean};
use gradual_measure::{Direction, Doubt, Question, Verdict, judge, paired_ratio};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// How log ratios scatter around their mean.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Noise {
    Normal,
    /// Student's t with three degrees of freedom.
    HeavyTails,
    Exponential,
    LogNormal,
}

impl Noise {
    pub(crate) const ALL: [Self; 4] = [
        Self::Normal,
        Self::HeavyTails,
        Self::Exponential,
        Self::LogNormal,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::HeavyTails => "t, 3 degrees of freedom",
            Self::Exponential => "exponential",
            Self::LogNormal => "lognormal",
        }
    }

    /// One value with the mean 0.
    fn draw(self, random: &mut ChaCha8Rng) -> f64 {
        // Box and Muller 1958.
        let normal = |random: &mut ChaCha8Rng| {
            let [u, v]: [f64; 2] = [random.random(), random.random()];
            (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
        };
        match self {
            Self::Normal => normal(random),
            Self::HeavyTails => {
                let squares: f64 = (0..3).map(|_| normal(random).powi(2)).sum();
                normal(random) / (squares / 3.0).sqrt()
            }
            Self::Exponential => -(1.0 - random.random::<f64>()).ln() - 1.0,
            Self::LogNormal => normal(random).exp() - 0.5_f64.exp(),
        }
    }
}

/// Shares of tables with at least one claim of a kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    /// Decided by the t-test after Holm's correction, and by nothing else.
    pub(crate) plain: f64,
    /// Decided.
    pub(crate) verdict: f64,
    /// Left open by a doubt of this kind.
    pub(crate) sign_flip: f64,
    /// And of this one.
    pub(crate) skewed: f64,
}

/// Tables of claims with a true ratio of exactly the claimed one.
pub(crate) fn wrong(noise: Noise, seeds: usize, claims: usize, tables: usize) -> Share {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let smallest = 0.8_f64;
    share(tables, || {
        let one = || smallest.ln() + 0.1 * noise.draw(&mut random);
        table(one, seeds, claims, smallest)
    })
}

/// Single claims with a true ratio of `ratio`, and normal log ratios.
pub(crate) fn power(
    ratio: f64,
    smallest: f64,
    deviation: f64,
    seeds: usize,
    tables: usize,
) -> Share {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    share(tables, || {
        let one = || ratio.ln() + deviation * Noise::Normal.draw(&mut random);
        table(one, seeds, 1, smallest)
    })
}

fn table(
    mut log: impl FnMut() -> f64,
    seeds: usize,
    claims: usize,
    smallest: f64,
) -> Vec<Question> {
    let baseline = (0..seeds as u64).map(|seed| (seed, 1.0)).collect();
    // What the t-test leaves open on its own stays open and counts as p = 1 for the others, so it needs no bootstrap.
    let student = StudentsT::new(0.0, 1.0, seeds as f64 - 1.0).unwrap();
    let least = student.inverse_cdf(0.975);
    let question = |_| {
        let logs: Vec<f64> = (0..seeds).map(|_| log()).collect();
        let error = deviation(&logs).unwrap() / (seeds as f64).sqrt();
        let far = (mean(&logs).unwrap() - smallest.ln()).abs() >= least * error;
        let arm = (0..).zip(logs.iter().map(|log| log.exp())).collect();
        Question {
            effect: far.then(|| paired_ratio(&arm, &baseline)).flatten(),
            direction: Direction::Lower,
            smallest_effect: smallest,
        }
    };
    (0..claims).map(question).collect()
}

fn share(tables: usize, mut table: impl FnMut() -> Vec<Question>) -> Share {
    let mut share = Share::default();
    for _ in 0..tables {
        let answers = judge(&table());
        let any = |of: &dyn Fn(&gradual_measure::Answer) -> bool| {
            f64::from(u8::from(answers.iter().any(of))) / tables as f64
        };
        share.plain += any(&|one| one.adjusted_p.is_some_and(|p| p <= 0.05));
        share.verdict += any(&|one| one.verdict != Verdict::Inconclusive);
        share.sign_flip += any(&|one| one.doubt == Some(Doubt::SignFlip));
        share.skewed += any(&|one| one.doubt == Some(Doubt::Skewed));
    }
    share
}
