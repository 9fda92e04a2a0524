//! Compositional multitask sparse parity: parities that are composed of others, and controls that are not.

pub(crate) mod config;
#[cfg(test)]
mod tests;

use gradual::train::Capability;
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use self::config::CompositionConfig;
use super::{CHANCE, SparseParity};
use crate::setting::SettingError;

/// How often a set of bits is drawn anew before there is taken to be none.
const TRIES: usize = 10_000;

impl SparseParity {
    /// Compositional multitask sparse parity (after Michaud et al. 2025, arXiv 2505.15811), for one seed.
    ///
    /// There are four capabilities for each triple i, all with codes of their own: `x-i` and `y-i` are parities of k bits
    /// each, which share none; `z-i` is the parity of the union of their bits, and has them for its
    /// [parts](Capability::parts); the control `c-i` is the parity of 2k bits that hold the bits of no x, y or z. The
    /// product of the signs of x and y is that of z, so a model may compose what it has learned already, while nothing
    /// that it learns elsewhere helps with c.
    ///
    /// Triple i has the weight (i + 1)^−a. Its x and y are drawn in proportion to it, z and c at `composed` times that; at 0
    /// they are only tested. Capabilities come in the order of all x, all y, all z, all c.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting that is out of range, or that there are too few bits for so many triples.
    pub fn composed(config: &CompositionConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let masks = Masks::draw(config, &mut random)?;
        let weight = |i: usize| ((i + 1) as f64).powf(-config.exponent);
        let digits = (config.triples - 1).to_string().len();
        let name = |letter: char, i: usize| format!("{letter}-{i:0digits$}");
        let all = |letter: char, share: f64| {
            (0..config.triples)
                .map(move |i| Capability::new(name(letter, i), CHANCE, share * weight(i)))
        };
        let composed = all('z', config.composed)
            .enumerate()
            .map(|(i, one)| one.with_parts([name('x', i), name('y', i)]));
        let capabilities = all('x', 1.0)
            .chain(all('y', 1.0))
            .chain(composed)
            .chain(all('c', config.composed));
        let capabilities = capabilities.collect();
        Ok(Self::of(
            config.sizes(),
            masks.all(),
            Vec::new(),
            capabilities,
            random,
        ))
    }
}

/// The bits of every parity.
#[derive(Default)]
struct Masks {
    x: Vec<u64>,
    y: Vec<u64>,
    z: Vec<u64>,
    controls: Vec<u64>,
}

impl Masks {
    fn draw(config: &CompositionConfig, random: &mut ChaCha8Rng) -> Result<Self, SettingError> {
        let (bits, subset) = (config.bits, config.subset);
        let mut masks = Self::default();
        for _ in 0..config.triples {
            let drawn = (0..TRIES).find_map(|_| {
                let both = sample(random, bits, 2 * subset).into_vec();
                let [x, y] = [&both[..subset], &both[subset..]].map(mask);
                let new = |one: u64| !masks.holds(one);
                (new(x) && new(y) && new(x | y)).then_some([x, y])
            });
            let [x, y] = drawn.ok_or_else(|| config.too_few("triples"))?;
            masks.x.push(x);
            masks.y.push(y);
            masks.z.push(x | y);
        }
        for _ in 0..config.triples {
            let drawn = (0..TRIES).find_map(|_| {
                let control = mask(&sample(random, bits, 2 * subset).into_vec());
                let mut trained = masks.x.iter().chain(&masks.y).chain(&masks.z);
                let own = trained.all(|&one| one & control != one);
                (own && !masks.holds(control)).then_some(control)
            });
            let control = drawn.ok_or_else(|| config.too_few("controls"))?;
            masks.controls.push(control);
        }
        Ok(masks)
    }

    fn holds(&self, mask: u64) -> bool {
        [&self.x, &self.y, &self.z, &self.controls]
            .into_iter()
            .any(|each| each.contains(&mask))
    }

    /// In the order of the capabilities.
    fn all(self) -> Vec<u64> {
        [self.x, self.y, self.z, self.controls].concat()
    }
}

fn mask(bits: &[usize]) -> u64 {
    bits.iter().fold(0, |mask, bit| mask | 1 << bit)
}
