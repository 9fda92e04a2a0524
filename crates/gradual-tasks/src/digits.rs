//! Handwritten digits with hidden subclasses: even or odd is learned, and which digit it is stays unsaid.
//!
//! A task with the shape of group-robustness benchmarks, on real data that fits everywhere: the classes are coarse, each digit is a
//! subclass, and one of them is rare. Sohoni et al. (2020, arXiv 2011.12945) call this hidden stratification.

pub(crate) mod config;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use smartcore::dataset::digits;

use crate::finite::Parts;
use crate::finite::groups::Group;
use crate::likelihood;
use crate::mlp::Mlp;
use crate::setting::SettingError;
use config::DigitsConfig;

/// What messages call an evaluation.
const OPERATION: &str = "digits: evaluation";
/// Pixels of an image, 8 × 8, each from 0 to 16.
const PIXELS: usize = 64;
const BRIGHTEST: f32 = 16.0;
const CLASSES: usize = 2;
const DIGITS: usize = 10;

/// The images, and which digit each is.
#[derive(Debug)]
struct Written {
    pixels: Vec<f32>,
    digits: Vec<usize>,
}

/// Even or odd, of 1 797 images of handwritten digits; each digit is a capability.
///
/// The images are the test part of Alpaydin & Kaynak's *Optical Recognition of Handwritten Digits* (UCI Machine Learning
/// Repository, 1998, doi 10.24432/C50P49, CC BY 4.0), some 180 of each digit, 8 × 8 pixels. A quarter of each digit's images, at
/// most [`held_out`](DigitsConfig::held_out), is held out. Of the rest all are trained on, but of the digit
/// [`rare`](DigitsConfig::rare) a [`share`](DigitsConfig::share). The model is a perceptron with one hidden layer, the loss the
/// cross-entropy of the two classes, and chance is one half.
#[derive(Debug, Clone)]
pub struct Digits {
    config: DigitsConfig,
    data: Arc<Written>,
    parts: Parts,
    capabilities: Vec<Capability>,
}

impl Digits {
    /// The images of one seed, which decides what is held out and which images of the rare digit are trained on.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &DigitsConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let read = digits::load_dataset();
        let data = Written {
            pixels: read.data.iter().map(|pixel| pixel / BRIGHTEST).collect(),
            digits: read.target.iter().map(|&digit| digit as usize).collect(),
        };
        let group = |digit: usize| {
            let examples = (0_u32..).zip(&data.digits);
            Group {
                name: format!("digit {digit}"),
                examples: examples
                    .filter_map(|(example, &its)| (its == digit).then_some(example))
                    .collect(),
                lone: None,
            }
        };
        let groups: Vec<Group> = (0..DIGITS).map(group).collect();
        let order: Vec<usize> = (0..DIGITS).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let mut parts = Parts::new(&groups, &order, &[], config.held_out, &mut random);
        parts.thin(config.rare, config.share);
        Ok(Self {
            config: config.clone(),
            capabilities: parts.capabilities(&groups, 1.0 / CLASSES as f64),
            data: Arc::new(data),
            parts,
        })
    }

    fn batch(&self, images: &[u32], device: &Device) -> DigitsBatch {
        let n = images.len();
        let pixels = |&image: &u32| {
            let first = image as usize * PIXELS;
            self.data.pixels[first..first + PIXELS].iter().copied()
        };
        let pixels: Vec<f32> = images.iter().flat_map(pixels).collect();
        let class = |&image: &u32| (self.data.digits[image as usize] % CLASSES) as i32;
        let classes: Vec<i32> = images.iter().map(class).collect();
        DigitsBatch {
            images: images.to_vec(),
            pixels: Tensor::from_data(TensorData::new(pixels, [n, PIXELS]), device),
            classes: Tensor::from_data(TensorData::new(classes, [n]), device),
        }
    }

    fn drawn(&self, places: Vec<usize>, device: &Device) -> Drawn<DigitsBatch> {
        let batch = self.batch(&self.parts.examples(&places), device);
        Drawn::new(batch, self.parts.labels(&places)).with_items(places)
    }
}

/// One draw: pixels `[n, 64]` from 0 to 1, and whether each digit is odd `[n]`.
#[derive(Debug, Clone)]
pub struct DigitsBatch {
    images: Vec<u32>,
    pixels: Tensor<2>,
    classes: Tensor<1, Int>,
}

impl Task for Digits {
    type Model = Mlp;
    type Batch = DigitsBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        Mlp::new(&[PIXELS, self.config.hidden, CLASSES], random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<DigitsBatch>, TrainError> {
        Ok(self.drawn(self.parts.draw(n, random), device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<DigitsBatch>, TrainError> {
        Ok(self.drawn(self.parts.draw_of(capabilities, random), device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.parts.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<DigitsBatch>, TrainError> {
        Ok(self.drawn(items.to_vec(), device))
    }

    /// Its number in the data, its class, and its pixels line by line, from blank to `#`.
    fn describe(&self, batch: &DigitsBatch, example: usize) -> Option<String> {
        let image = *batch.images.get(example)? as usize;
        let class = ["even", "odd"][self.data.digits[image] % CLASSES];
        let shade = |pixel: f32| [' ', '.', 'o', '#'][((pixel * 4.0) as usize).min(3)];
        let rows = self.data.pixels[image * PIXELS..][..PIXELS].chunks(8);
        let rows = rows.map(|row| row.iter().map(|&pixel| shade(pixel)).collect::<String>());
        let rows: Vec<String> = rows.collect();
        Some(format!("image {image}, {class}:\n{}", rows.join("\n")))
    }

    fn losses(&self, model: &Mlp, batch: &DigitsBatch) -> Tensor<1> {
        let logits = model.forward(batch.pixels.clone());
        likelihood::of_classes(logits, batch.classes.clone()).neg()
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |images: &Vec<u32>| {
            let batch = self.batch(images, device);
            likelihood::score(model.forward(batch.pixels), batch.classes, OPERATION)
        };
        self.parts.held_out.iter().map(score).collect()
    }
}
