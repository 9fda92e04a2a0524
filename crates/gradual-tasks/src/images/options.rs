//! Which images are read, and how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::setting::{self, SettingError};

/// Least and greatest side of an image, in pixels.
pub(super) const SIDE: std::ops::RangeInclusive<usize> = 8..=1_024;

/// The colours of images as a model sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Channels {
    /// One number a pixel: its brightness.
    Grey,
    /// Three numbers a pixel: red, green and blue.
    Colour,
}

impl Channels {
    /// How many numbers a pixel has.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Colour => 3,
        }
    }
}

/// What the groups of images are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImageGroups {
    /// Every class is a group.
    #[default]
    Classes,
    /// The folders within those of the classes: DIR/class/group/file.
    Folders,
    /// A CSV file with the columns `file` and `group`. A file is called as it is from the folder of the data on, with
    /// `/` between folders; an image of an IDX file by its number, from 0.
    File(PathBuf),
}

/// How images are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOptions {
    pub(super) labels: Option<PathBuf>,
    pub(super) groups: ImageGroups,
    pub(super) size: Option<[usize; 2]>,
    pub(super) channels: Option<Channels>,
}

impl ImageOptions {
    /// The IDX file of the labels, where images are in an IDX file. Where nothing is said it is the file beside it whose
    /// name has `labels` in the place of `images` and `idx1` in that of `idx3`, as those of MNIST have.
    #[must_use]
    pub fn with_labels(self, labels: Option<PathBuf>) -> Self {
        Self { labels, ..self }
    }

    /// What the groups are.
    #[must_use]
    pub fn with_groups(self, groups: ImageGroups) -> Self {
        Self { groups, ..self }
    }

    /// Height and width to which all images are resized, from 8 to 1 024 pixels; without it, all images have to be of
    /// one size.
    #[must_use]
    pub fn with_size(self, size: Option<[usize; 2]>) -> Self {
        Self { size, ..self }
    }

    /// Whether images can be read so.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting that is out of range.
    pub fn check(&self) -> Result<(), SettingError> {
        let mut sides = self.size.iter().flatten();
        sides.try_for_each(|&side| setting::count("size", SIDE, side))
    }

    /// Grey or colour; without it, grey where all images are.
    #[must_use]
    pub fn with_channels(self, channels: Option<Channels>) -> Self {
        Self { channels, ..self }
    }
}
