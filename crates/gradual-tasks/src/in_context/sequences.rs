//! The sequences: which classes are in a context, what their items and labels are, and where they stand.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::config::InContextConfig;

/// Draws of a class that are thrown away before the context is made of what is left.
const PATIENCE: usize = 200;

/// Means of classes, and vectors of labels, row-major.
#[derive(Debug)]
pub(super) struct World {
    means: Vec<f32>,
    labels: Vec<f32>,
    /// The label of each class.
    pub(super) label_of: Vec<usize>,
    /// How frequent classes are against the first, and the sums up to each.
    weights: Vec<f64>,
    sums: Vec<f64>,
}

/// Where the label of a query comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The context has it, and it is that of the class.
    Both,
    /// The context does not have the class: only the weights know it.
    Weights,
    /// The context alone: the classes are new ones.
    Context,
    /// The context says another label than the class has.
    Swapped,
}

/// Some sequences: their numbers `[n, t, d]`, row-major, and the labels that are right.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequences {
    pub(super) numbers: Vec<f32>,
    pub(super) answers: Vec<i32>,
    /// The class of each query; none of new classes.
    pub(super) classes: Vec<Option<usize>>,
}

impl World {
    pub(super) fn new(config: &InContextConfig, random: &mut ChaCha8Rng) -> Self {
        let d = config.dimensions;
        let means = normal(config.classes * d, d, random);
        let labels = normal(config.labels * d, d, random);
        let mut label_of: Vec<usize> = (0..config.classes)
            .map(|class| class % config.labels)
            .collect();
        // Which classes share a label is no matter of their rank.
        label_of.shuffle(random);
        let weights = (1..=config.classes).map(|rank| (rank as f64).powf(-config.exponent));
        let weights: Vec<f64> = weights.collect();
        let sums = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        let sums = sums.collect();
        Self {
            means,
            labels,
            label_of,
            weights,
            sums,
        }
    }

    /// The share of draws whose class is one of these.
    pub(super) fn frequency(&self, classes: std::ops::Range<usize>) -> f64 {
        self.weights[classes].iter().sum::<f64>() / self.weights.iter().sum::<f64>()
    }

    /// The share of the most frequent label in draws of these classes.
    pub(super) fn most_frequent_label(
        &self,
        classes: std::ops::Range<usize>,
        labels: usize,
    ) -> f64 {
        let mut shares = vec![0.0; labels];
        for class in classes.clone() {
            shares[self.label_of[class]] += self.frequency(class..class + 1);
        }
        shares.into_iter().fold(0.0, f64::max) / self.frequency(classes)
    }

    /// A class by the Zipf law, one of these.
    pub(super) fn class(&self, among: std::ops::Range<usize>, random: &mut ChaCha8Rng) -> usize {
        let sums = &self.sums[among.clone()];
        // Sums grow by less and less: where they no longer do, the weights themselves tell.
        let before = among
            .start
            .checked_sub(1)
            .map_or(0.0, |last| self.sums[last]);
        let found = match sums.last() {
            Some(&end) if among.start == 0 || end > before * (1.0 + 1e-6) => {
                let at = random.random_range(before..end);
                sums.partition_point(|&sum| sum <= at)
            }
            _ => {
                let weights = &self.weights[among.clone()];
                let mut left = random.random_range(0.0..weights.iter().sum());
                let passed = weights.iter().take_while(|&&weight| {
                    left -= weight;
                    left >= 0.0
                });
                passed.count()
            }
        };
        (among.start + found).min(among.end - 1)
    }

    /// Adds a sequence whose query is of `class`, which new classes have not.
    pub(super) fn add(
        &self,
        config: &InContextConfig,
        class: usize,
        answer: Answer,
        random: &mut ChaCha8Rng,
        to: &mut Sequences,
    ) {
        let d = config.dimensions;
        let all = 0..config.classes;
        let distinct = config.pairs / config.burstiness;
        // Who is in the context, with the label that stands beside, and the place of the query's class among them.
        let mut context: Vec<(Vec<f32>, usize)> = Vec::new();
        let (query, right) = match answer {
            Answer::Weights => {
                for _ in 0..config.pairs {
                    let other = self.other(&[class], false, random);
                    context.push((self.mean(other, d), self.label_of[other]));
                }
                (self.mean(class, d), self.label_of[class])
            }
            Answer::Both | Answer::Swapped => {
                let mut classes = vec![class];
                while classes.len() < distinct {
                    classes.push(self.other(&classes, true, random));
                }
                let mut labels: Vec<usize> =
                    classes.iter().map(|&one| self.label_of[one]).collect();
                if answer == Answer::Swapped {
                    labels = swapped(&labels, config.labels, random);
                }
                let right = labels[0];
                for _ in 0..config.burstiness {
                    let each = classes.iter().zip(&labels);
                    context.extend(each.map(|(&one, &label)| (self.mean(one, d), label)));
                }
                (self.mean(class, d), right)
            }
            Answer::Context => {
                let means: Vec<Vec<f32>> = (0..distinct).map(|_| normal(d, d, random)).collect();
                let mut labels: Vec<usize> = (0..config.labels).collect();
                labels.shuffle(random);
                for _ in 0..config.burstiness {
                    let each = means.iter().cloned().zip(labels.iter().copied());
                    context.extend(each);
                }
                (means[0].clone(), labels[0])
            }
        };
        debug_assert!(all.contains(&class) && context.len() == config.pairs);
        context.shuffle(random);
        self.write(config, &context, &query, random, &mut to.numbers);
        to.answers.push(right as i32);
        to.classes
            .push((answer != Answer::Context).then_some(class));
    }

    /// A class by the Zipf law that is none of these, and, if `labels` are to differ, of no label of theirs. Where the law hardly
    /// ever gives one, any.
    fn other(&self, taken: &[usize], labels: bool, random: &mut ChaCha8Rng) -> usize {
        let classes = self.label_of.len();
        let free = |class: usize| {
            taken
                .iter()
                .all(|&one| one != class && !(labels && self.label_of[one] == self.label_of[class]))
        };
        for _ in 0..PATIENCE {
            let class = self.class(0..classes, random);
            if free(class) {
                return class;
            }
        }
        let left: Vec<usize> = (0..classes).filter(|&class| free(class)).collect();
        left[random.random_range(0..left.len())]
    }

    /// What stands for a label.
    #[cfg(test)]
    pub(super) fn label_vector(&self, label: usize, d: usize) -> Vec<f32> {
        self.labels[label * d..][..d].to_vec()
    }

    fn mean(&self, class: usize, d: usize) -> Vec<f32> {
        self.means[class * d..][..d].to_vec()
    }

    /// Writes the tokens: item, label, item, label, …, query, each beside its place.
    fn write(
        &self,
        config: &InContextConfig,
        context: &[(Vec<f32>, usize)],
        query: &[f32],
        random: &mut ChaCha8Rng,
        to: &mut Vec<f32>,
    ) {
        let (d, places, tokens) = (config.dimensions, config.places(), config.tokens());
        let first = random.random_range(0..=places - tokens);
        let mut token = |place: usize, content: &[f32]| {
            let start = to.len();
            to.resize(start + places, 0.0);
            to[start + first + place] = 1.0;
            to.extend_from_slice(content);
        };
        let noise = config.noise as f32;
        let shrink = 1.0 / (1.0 + noise * noise).sqrt();
        let mut item = |mean: &[f32]| -> Vec<f32> {
            let apart = normal(d, d, random);
            let both = mean.iter().zip(apart);
            both.map(|(mean, apart)| (mean + noise * apart) * shrink)
                .collect()
        };
        for (pair, (mean, label)) in context.iter().enumerate() {
            token(2 * pair, &item(mean));
            token(2 * pair + 1, &self.labels[label * d..][..d]);
        }
        token(tokens - 1, &item(query));
    }
}

/// Labels for classes that have these, none of them its own.
fn swapped(own: &[usize], labels: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
    // All others are new ones, so that no class gets that of another in the context either.
    let mut others: Vec<usize> = (0..labels).filter(|label| !own.contains(label)).collect();
    if others.len() >= own.len() {
        others.shuffle(random);
        others.truncate(own.len());
        return others;
    }
    // Too few for that: everybody gets the next one's.
    let mut turned = own.to_vec();
    turned.rotate_left(1);
    turned
}

/// Numbers with mean 0 and variance 1/d.
fn normal(count: usize, d: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let scale = 1.0 / (d as f32).sqrt();
    let one = |_| {
        let number: f32 = StandardNormal.sample(random);
        number * scale
    };
    (0..count).map(one).collect()
}
