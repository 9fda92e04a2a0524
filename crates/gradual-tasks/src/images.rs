//! Images with a class and a group each: a user's own, or drawn shapes.

mod assignment;
pub(crate) mod data;
mod decode;
pub(crate) mod error;
mod folder;
mod idx;
mod open;
pub(crate) mod options;
mod reading;
mod shapes;
mod stored;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::convnet::Convnet;
use crate::finite::Parts;
use crate::finite::scale::Scale;
use crate::host::floats;
use crate::likelihood;
use crate::setting::{self, SettingError};
use data::{Checked, ImageData};

/// What messages call an evaluation.
const OPERATION: &str = "images: evaluation";
/// Most numbers of a layer's maps that are evaluated at once.
const AT_ONCE: usize = 1 << 22;
/// Most numbers of a layer's maps for one image.
const MAPS: u128 = 1 << 22;

/// The model of images, and how it is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagesConfig {
    /// Filters of the first convolution, 1 to 256; the second has twice as many.
    pub filters: usize,
    /// Most images of a group that are held out, 1 to 100 000.
    pub held_out: usize,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self {
            filters: 16,
            held_out: 200,
        }
    }
}

impl ImagesConfig {
    /// Refuses numbers out of their ranges.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("filters", 1..=256, self.filters)?;
        setting::count("held_out", 1..=100_000, self.held_out)
    }
}

/// Images with a class to predict and a group each; every group is a capability. Without groups every class is one.
///
/// A quarter of each group's images (at least one, and at most [`held_out`](ImagesConfig::held_out)) is held out,
/// stratified by class. Numbers are standardised by the training images' mean and standard deviation, for each channel.
/// The model is a [`Convnet`] and the loss the cross-entropy. Training draws images with replacement. Chance is one over
/// the number of classes where groups are not classes. Where they are, it is the same, since a model that guesses is
/// right on one in as many.
#[derive(Debug, Clone)]
pub struct Images {
    data: Arc<Checked>,
    config: ImagesConfig,
    parts: Parts,
    capabilities: Vec<Capability>,
    /// Of each channel.
    scales: Vec<Scale>,
}

impl Images {
    /// The images of one seed, which decides which of each group are held out.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a number out of its range, or a model that is too large.
    pub fn new(data: &ImageData, config: &ImagesConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let data = Arc::clone(&data.checked);
        let (channels, classes) = (data.channels.count(), data.class_names.len());
        let [height, width] = data.size;
        let parameters = Convnet::parameters(channels, config.filters, classes);
        let others = format!("{classes} classes");
        setting::parameters("filters", config.filters, &others, parameters)?;
        let maps = config.filters as u128 * height as u128 * width as u128;
        if maps > MAPS {
            return Err(SettingError::Together {
                name: "filters",
                got: config.filters,
                problem: format!(
                    "with images of {width} × {height} pixels a layer then has {maps} numbers for each; {MAPS} is the \
                     most"
                ),
            });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let most = config.held_out;
        let parts = Parts::new(&data.groups, &data.order, &data.classes, most, &mut random);
        Ok(Self {
            capabilities: parts.capabilities(&data.groups, 1.0 / classes as f64),
            scales: scales(&data, &parts.training),
            config: config.clone(),
            parts,
            data,
        })
    }

    /// These images, as the model takes them.
    fn batch(&self, images: &[u32], device: &Device) -> ImagesBatch {
        let n = images.len();
        let [height, width] = self.data.size;
        let channels = self.data.channels.count();
        let mut pixels = Vec::with_capacity(n * self.data.numbers());
        for &image in images {
            let planes = self.data.image(image).chunks_exact(height * width);
            for (plane, scale) in planes.zip(&self.scales) {
                pixels.extend(plane.iter().map(|&byte| scale.apply(f64::from(byte))));
            }
        }
        let classes = images
            .iter()
            .map(|&image| self.data.classes[image as usize]);
        let classes: Vec<i32> = classes.collect();
        let shape = [n, channels, height, width];
        ImagesBatch {
            images: Tensor::from_data(TensorData::new(pixels, shape), device),
            classes: Tensor::from_data(TensorData::new(classes, [n]), device),
        }
    }

    fn drawn(&self, places: &[usize], device: &Device) -> Drawn<ImagesBatch> {
        let images = self.parts.examples(places);
        let batch = self.batch(&images, device);
        Drawn::new(batch, self.parts.labels(places)).with_items(places.to_vec())
    }

    /// How many images are evaluated at once.
    fn at_once(&self) -> usize {
        let [height, width] = self.data.size;
        (AT_ONCE / (self.config.filters * height * width)).max(1)
    }
}

/// The mean and the deviation of each channel over some images.
fn scales(data: &Checked, images: &[u32]) -> Vec<Scale> {
    let area = data.size[0] * data.size[1];
    let mut sums = vec![(0_u64, 0_u64); data.channels.count()];
    for &image in images {
        for (plane, (sum, square)) in data.image(image).chunks_exact(area).zip(&mut sums) {
            for &byte in plane {
                *sum += u64::from(byte);
                *square += u64::from(byte) * u64::from(byte);
            }
        }
    }
    let n = (images.len() * area) as u64;
    let scale = |(sum, squares)| Scale::of_sums(n, sum, squares);
    sums.into_iter().map(scale).collect()
}

/// One draw: images `[n, channels, height, width]` and classes `[n]`.
#[derive(Debug, Clone)]
pub struct ImagesBatch {
    images: Tensor<4>,
    classes: Tensor<1, Int>,
}

impl Task for Images {
    type Model = Convnet;
    type Batch = ImagesBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Convnet {
        let (channels, classes) = (self.data.channels.count(), self.data.class_names.len());
        Convnet::new(channels, self.config.filters, classes, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ImagesBatch>, TrainError> {
        Ok(self.drawn(&self.parts.draw(n, random), device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ImagesBatch>, TrainError> {
        Ok(self.drawn(&self.parts.draw_of(capabilities, random), device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.parts.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<ImagesBatch>, TrainError> {
        Ok(self.drawn(items, device))
    }

    fn losses(&self, model: &Convnet, batch: &ImagesBatch) -> Tensor<1> {
        likelihood::of_classes(model.forward(batch.images.clone()), batch.classes.clone()).neg()
    }

    fn evaluate(&self, model: &Convnet, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |images: &Vec<u32>| {
            let (mut losses, mut right) = (Vec::new(), 0.0);
            for some in images.chunks(self.at_once()) {
                let batch = self.batch(some, device);
                let logits = model.forward(batch.images);
                losses.extend(floats(
                    likelihood::of_classes(logits.clone(), batch.classes.clone()).neg(),
                    OPERATION,
                )?);
                let found = logits.argmax(1).reshape([some.len()]);
                right += floats(found.equal(batch.classes).float(), OPERATION)?
                    .iter()
                    .sum::<f64>();
            }
            let n = losses.len() as f64;
            let probability = losses.iter().map(|loss| (-loss).exp()).sum::<f64>() / n;
            Ok(Score {
                probability: Some(probability),
                ..Score::new(right / n, losses.iter().sum::<f64>() / n)
            })
        };
        self.parts.held_out.iter().map(score).collect()
    }
}
