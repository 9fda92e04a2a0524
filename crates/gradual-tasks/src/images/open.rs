//! Where images come from: a folder, an IDX file, or the program itself.

use std::path::Path;

use sha2::Digest as _;

use super::data::ImageData;
use super::error::ImageError;
use super::options::{ImageGroups, ImageOptions};
use super::reading::{Reading, image};
use super::shapes;

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
        options.check()?;
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
                image(drawn.pixels, 1, [shapes::SIDE; 2], path)?,
                shapes::CLASSES[drawn.class],
                shapes::WAYS[drawn.way].0,
            )?;
        }
        // Any but by class: the groups are known.
        let options = ImageOptions::default().with_groups(ImageGroups::Folders);
        reading.check(&options)
    }
}
