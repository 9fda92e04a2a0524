//! Images and what is known of each, which all seeds share.

use std::path::Path;
use std::sync::Arc;

use sha2::Digest as _;

use super::error::ImageError;
use super::options::{Channels, ImageGroups, ImageOptions, SIDE};
use super::reading::{Reading, grey};
use super::shapes;
use crate::finite::groups::Group;
use crate::setting;

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
    /// Reads a folder of PNG and JPEG files, DIR/class/file, or an IDX file of images, as MNIST's are, that may be
    /// compressed by gzip. Files are read in the order of their names.
    ///
    /// An image has at most 16 384 pixels a side and 256 MiB when decoded, a file at most 64 MiB, an IDX file 1 GiB, and
    /// all images together 1 GiB at the size at which they are held, a byte for every number.
    ///
    /// # Errors
    ///
    /// [`ImageError`] naming the file and what is wrong: it can't be read or decoded, is too large, is of another size
    /// than those before and none was asked for, stands in no folder of a class; an IDX file of other axes or without
    /// labels; an image without a group; fewer than 2 classes or more than 1 000; every group of a single image.
    pub fn open(path: &Path, options: &ImageOptions) -> Result<Self, ImageError> {
        let sides = options.size.iter().flatten();
        for &side in sides {
            setting::count("size", SIDE, side)?;
        }
        let failed = |source| ImageError::Read {
            path: path.to_owned(),
            source,
        };
        let reading = match path.metadata().map_err(failed)?.is_dir() {
            true => Reading::new(path, options).of_folder(options)?,
            false => Reading::new(path, options).of_idx(options)?,
        };
        reading.check(options)
    }

    /// Shapes that are drawn by the program, 1 600 grey images of 16 × 16 pixels: a cross, a disc, a square or a
    /// triangle. The groups are three ways to draw them, of 12, 3 and 1 in 16 images: bright on dark, dark on bright,
    /// noisy.
    ///
    /// # Errors
    ///
    /// None that the drawn images would cause.
    pub fn shapes() -> Result<Self, ImageError> {
        let path = Path::new("shapes");
        let mut reading = Reading::new(path, &ImageOptions::default());
        for drawn in shapes::all() {
            reading.digest.update(&drawn.pixels);
            reading.push(
                path,
                grey(drawn.pixels, [shapes::SIDE; 2], path)?,
                shapes::CLASSES[drawn.class],
                shapes::WAYS[drawn.way].0,
            )?;
        }
        // Any but by class: the groups are known.
        let options = ImageOptions::default().with_groups(ImageGroups::Folders);
        reading.check(&options)
    }

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
