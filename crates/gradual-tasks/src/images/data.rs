//! Images and what is known of each, which all seeds share.

use std::sync::Arc;

use super::options::Channels;
use crate::finite::groups::Group;

/// Images that were read, for as many [`Images`](super::Images) as there are seeds. A clone shares its pixels.
#[derive(Debug, Clone)]
pub struct ImageData {
    pub(super) checked: Arc<Checked>,
    pub(super) sha256: String,
}

/// Images that can be learned.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) channels: Channels,
    /// Height and width.
    pub(super) size: [usize; 2],
    /// `[images, channels, height, width]`.
    pub(super) bytes: Vec<u8>,
    /// Of each image.
    pub(super) classes: Vec<i32>,
    pub(super) class_names: Vec<String>,
    pub(super) groups: Vec<Group>,
    pub(super) order: Vec<usize>,
    pub(super) described: String,
    pub(super) notes: Vec<String>,
}

impl Checked {
    /// How many numbers an image has.
    pub(super) fn numbers(&self) -> usize {
        self.channels.count() * self.size[0] * self.size[1]
    }

    /// The numbers of an image.
    pub(super) fn image(&self, image: u32) -> &[u8] {
        let from = image as usize * self.numbers();
        &self.bytes[from..from + self.numbers()]
    }
}

impl ImageData {
    /// SHA-256 of the names and the bytes of all images, their labels and groups, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Height and width of the images as a model sees them, in pixels.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.checked.size
    }

    /// Whether a model sees them grey or in colours.
    #[must_use]
    pub fn channels(&self) -> Channels {
        self.checked.channels
    }

    /// The names of the classes.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.checked.class_names
    }

    /// What was read, in a sentence.
    #[must_use]
    pub fn described(&self) -> &str {
        &self.checked.described
    }

    /// The same with the name of the data, and what is unusual about it, though it can be learned.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.checked.notes
    }
}
