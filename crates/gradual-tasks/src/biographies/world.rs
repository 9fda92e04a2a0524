//! What is true of the people, and which word follows which.

use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::config::BiographiesConfig;

/// The capabilities, by number.
pub(super) const TEXT: usize = 0;
pub(super) const BIOGRAPHIES: usize = 1;

/// The people and the text of one seed.
#[derive(Debug, Clone)]
pub(super) struct World {
    config: BiographiesConfig,
    /// The value of each attribute of each person.
    values: Vec<u16>,
    /// The word that each two words stand for.
    followers: Vec<u16>,
    /// Sums of the frequencies of words, in order.
    sums: Vec<f64>,
}

/// An example: its tokens, and where something is learned in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    /// The person, of a biography.
    pub(super) person: Option<usize>,
    pub(super) tokens: Vec<u32>,
}

impl Example {
    pub(super) fn capability(&self) -> usize {
        match self.person {
            Some(_) => BIOGRAPHIES,
            None => TEXT,
        }
    }

    /// Whether the token at this place is learned: of a text each that has two before it, of a biography the values.
    pub(super) fn is_learned(&self, at: usize) -> bool {
        at >= 2 && (self.person.is_none() || at % 2 == 1)
    }
}

impl World {
    pub(super) fn new(config: &BiographiesConfig, random: &mut ChaCha8Rng) -> Self {
        let sums = (1..=config.words).scan(0.0, |sum, rank| {
            *sum += (rank as f64).powf(-config.exponent);
            Some(*sum)
        });
        let mut world = Self {
            config: config.clone(),
            values: Vec::new(),
            followers: Vec::new(),
            sums: sums.collect(),
        };
        let value = |_| random.random_range(0..config.values) as u16;
        world.values = (0..config.people * config.attributes).map(value).collect();
        let follower = |_| world.any_word(random) as u16;
        world.followers = (0..config.words * config.words).map(follower).collect();
        world
    }

    /// The frequency of the most frequent word.
    pub(super) fn most_frequent(&self) -> f64 {
        self.sums[0] / self.sums[self.sums.len() - 1]
    }

    /// A word by the Zipf law.
    fn any_word(&self, random: &mut ChaCha8Rng) -> u32 {
        let all = self.sums.last().copied().unwrap_or(1.0);
        let at = random.random::<f64>() * all;
        let found = self.sums.partition_point(|&sum| sum <= at);
        found.min(self.config.words - 1) as u32
    }

    /// The word that these two stand for.
    pub(super) fn follower(&self, before: u32, last: u32) -> u32 {
        u32::from(self.followers[before as usize * self.config.words + last as usize])
    }

    /// The value of a person's attribute.
    pub(super) fn value(&self, person: usize, attribute: usize) -> u32 {
        u32::from(self.values[person * self.config.attributes + attribute])
    }

    /// A piece of text.
    pub(super) fn text(&self, random: &mut ChaCha8Rng) -> Example {
        let mut tokens = vec![self.any_word(random), self.any_word(random)];
        while tokens.len() < self.config.tokens() {
            let [.., before, last] = tokens[..] else {
                break;
            };
            tokens.push(match random.random::<f64>() < self.config.fixed {
                true => self.follower(before, last),
                false => self.any_word(random),
            });
        }
        Example {
            person: None,
            tokens,
        }
    }

    /// All that is true of a person, the attributes in any order. Words come first among the tokens, then values, attributes, first
    /// names and last names.
    pub(super) fn biography(&self, person: usize, random: &mut ChaCha8Rng) -> Example {
        let config = &self.config;
        let (values, attributes) = (config.words, config.words + config.values);
        let first = attributes + config.attributes;
        let names = config.names();
        let (given, family) = (first + person / names, first + names + person % names);
        let mut order: Vec<usize> = (0..config.attributes).collect();
        order.shuffle(random);
        let mut tokens = vec![given as u32, family as u32];
        for attribute in order {
            tokens.push((attributes + attribute) as u32);
            tokens.push(values as u32 + self.value(person, attribute));
        }
        Example {
            person: Some(person),
            tokens,
        }
    }

    /// The biography of anybody.
    pub(super) fn anybody(&self, random: &mut ChaCha8Rng) -> Example {
        let person = random.random_range(0..self.config.people);
        self.biography(person, random)
    }

    /// As a person would write it.
    pub(super) fn words(&self, example: &Example) -> String {
        let (values, attributes) = (self.config.words, self.config.words + self.config.values);
        let (tokens, words) = match example.person {
            Some(person) => (&example.tokens[2..], vec![format!("person {person}:")]),
            None => (&example.tokens[..], Vec::new()),
        };
        let named = tokens.iter().map(|&token| match token as usize {
            word if word < values => format!("w{word}"),
            value if value < attributes => format!("v{}", value - values),
            attribute => format!("a{}", attribute - attributes),
        });
        words.into_iter().chain(named).collect::<Vec<_>>().join(" ")
    }
}
