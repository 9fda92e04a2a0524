//! Images and what is known of each, which all seeds share.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradual_registry::excerpt;
use image::{DynamicImage, GrayImage, RgbImage};
use sha2::{Digest, Sha256};

use super::error::{ImageError, SHORT};
use super::idx::{Idx, is_idx, unpacked};
use super::options::{Channels, ImageGroups, ImageOptions, SIDE};
use super::stored::Stored;
use super::{assignment, decode, folder, shapes};
use crate::finite::groups::{Group, by_first_example, grouped, in_one_part};
use crate::finite::texts::Texts;
use crate::setting;

/// Fewest and most classes.
const CLASSES: std::ops::RangeInclusive<usize> = 2..=1_000;
/// Most groups.
const GROUPS: usize = 50_000;

/// Images that were read, for as many [`Images`](super::Images) as there are seeds. A clone shares its pixels.
#[derive(Debug, Clone)]
pub struct ImageData {
    pub(super) checked: Arc<Checked>,
    sha256: String,
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
    described: String,
    notes: Vec<String>,
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

/// Images while they are read.
struct Reading {
    /// What messages call them.
    path: PathBuf,
    stored: Stored,
    /// The class and the group of each image, as places among the values.
    classes: Vec<u32>,
    class_values: Texts,
    groups: Vec<u32>,
    group_values: Texts,
    digest: Sha256,
    notes: Vec<String>,
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

impl Reading {
    fn new(path: &Path, options: &ImageOptions) -> Self {
        Self {
            path: path.to_owned(),
            stored: Stored::new(options.size, options.channels),
            classes: Vec::new(),
            class_values: Texts::default(),
            groups: Vec::new(),
            group_values: Texts::default(),
            digest: Sha256::new(),
            notes: Vec::new(),
        }
    }

    /// One image more, which came from the file `path`.
    fn push(
        &mut self,
        path: &Path,
        image: DynamicImage,
        class: &str,
        group: &str,
    ) -> Result<(), ImageError> {
        let pushed = self.stored.push(image);
        pushed.map_err(|problem| ImageError::of(path, problem))?;
        self.classes.push(self.class_values.place(class));
        self.groups.push(self.group_values.place(group));
        let most = [
            (self.class_values.len(), *CLASSES.end(), "classes"),
            (self.group_values.len(), GROUPS, "groups"),
        ];
        match most.into_iter().find(|(there, most, _)| there > most) {
            Some((_, most, what)) => {
                let problem = format!("is the first image of one more than {most} {what}");
                Err(ImageError::of(path, problem))
            }
            None => Ok(()),
        }
    }

    /// Adds the bytes of something that has a name to the digest.
    fn hash(&mut self, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.digest.update((part.len() as u64).to_le_bytes());
            self.digest.update(part);
        }
    }

    /// The groups of images of these names, where a file names them.
    fn assigned(
        &mut self,
        options: &ImageOptions,
        names: &[String],
    ) -> Result<Option<Vec<String>>, ImageError> {
        let ImageGroups::File(path) = &options.groups else {
            return Ok(None);
        };
        let file = File::open(path).map_err(|source| ImageError::Read {
            path: path.clone(),
            source,
        })?;
        let groups = assignment::groups(file, path, names)?;
        for group in &groups {
            self.hash("group", group.as_bytes());
        }
        Ok(Some(groups))
    }

    fn of_folder(mut self, options: &ImageOptions) -> Result<Self, ImageError> {
        let root = self.path.clone();
        if options.labels.is_some() {
            let problem =
                "is a folder, whose folders are the labels; a file of labels goes with an IDX file";
            return Err(ImageError::of(&root, problem));
        }
        let listing = folder::list(&root, &options.groups)?;
        self.notes.extend(listing.left_out());
        let names: Vec<String> = listing
            .images
            .iter()
            .map(|found| found.name.clone())
            .collect();
        let assigned = self.assigned(options, &names)?;
        for (at, found) in listing.images.iter().enumerate() {
            let bytes = folder::bytes(&found.path)?;
            self.hash(&found.name, &bytes);
            let image = decode::decode(&bytes, &found.path)?;
            let assigned = assigned.as_ref().map(|groups| groups[at].as_str());
            let group = assigned.or(found.group.as_deref()).unwrap_or(&found.class);
            self.push(&found.path, image, &found.class, group)?;
        }
        Ok(self)
    }

    fn of_idx(mut self, options: &ImageOptions) -> Result<Self, ImageError> {
        let path = self.path.clone();
        if options.groups == ImageGroups::Folders {
            let problem = "is no folder, and groups are to be folders; name a CSV file of groups (group = FILE.csv)";
            return Err(ImageError::of(&path, problem));
        }
        let images = read(&path)?;
        let labels_path = match &options.labels {
            Some(labels) => labels.clone(),
            None => labels_beside(&path)?,
        };
        let labels = read(&labels_path)?;
        let (size, channels) = match images.axes[..] {
            [_, height, width] => ([height, width], 1),
            [_, height, width, 3] => ([height, width], 3),
            _ => {
                let problem = format!(
                    "has axes of {:?}; images are [images, height, width], or [images, height, width, 3] in colour",
                    images.axes
                );
                return Err(ImageError::of(&path, problem));
            }
        };
        let count = images.axes[0];
        if labels.axes != [count] {
            let problem = format!(
                "has axes of {:?}; one label for each of {count} images is needed",
                labels.axes
            );
            return Err(ImageError::of(&labels_path, problem));
        }
        if size.contains(&0) {
            return Err(ImageError::of(&path, "holds images without pixels"));
        }
        self.hash("images", &images.bytes);
        self.hash("axes", format!("{:?}", images.axes).as_bytes());
        self.hash("labels", &labels.bytes);
        let names: Vec<String> = match options.groups {
            ImageGroups::File(_) => (0..count).map(|at| at.to_string()).collect(),
            _ => Vec::new(),
        };
        let assigned = self.assigned(options, &names)?;
        let each = images.bytes.chunks_exact(size[0] * size[1] * channels);
        for (at, (bytes, label)) in each.zip(&labels.bytes).enumerate() {
            let image = match channels {
                1 => grey(bytes.to_vec(), size, &path)?,
                _ => colour(bytes.to_vec(), size, &path)?,
            };
            let class = label.to_string();
            let group = assigned
                .as_ref()
                .map_or(class.as_str(), |groups| &groups[at]);
            self.push(&path, image, &class, group)?;
        }
        Ok(self)
    }

    fn check(self, options: &ImageOptions) -> Result<ImageData, ImageError> {
        let path = &self.path.clone();
        let refused = |problem: String| ImageError::of(path, problem);
        let images = self.stored.images;
        if self.class_values.len() < *CLASSES.start() {
            return Err(refused(format!(
                "holds images of {} class; from {} to {} are needed",
                self.class_values.len(),
                CLASSES.start(),
                CLASSES.end()
            )));
        }
        let called = match options.groups {
            ImageGroups::Classes => "class",
            _ => "group",
        };
        let mut warnings = self.notes;
        let (class_names, ranks) = self.class_values.ranked();
        let classes: Vec<i32> = (self.classes.iter())
            .map(|&place| ranks[place as usize] as i32)
            .collect();
        let (values, ranks) = self.group_values.ranked();
        let column: Vec<u32> = (self.groups.iter())
            .map(|&place| ranks[place as usize])
            .collect();
        let groups = grouped(called, &values, &column, "image").ok_or_else(|| {
            refused(format!(
                "every {called} has a single image; none can be measured"
            ))
        })?;
        warnings.extend(in_one_part(
            &groups,
            &classes,
            &class_names,
            "image",
            usize::MAX,
        ));
        let (channels, size, bytes) = self.stored.finish();
        let colours = match channels {
            Channels::Grey => "grey",
            Channels::Colour => "colour",
        };
        let [height, width] = size;
        let described = format!(
            "{images} {colours} images of {width} × {height} pixels, {} classes, {} groups",
            class_names.len(),
            groups.len()
        );
        let name = super::error::shown(path);
        let notes = std::iter::once(&described).chain(&warnings);
        Ok(ImageData {
            checked: Arc::new(Checked {
                notes: notes.map(|note| format!("{name}: {note}")).collect(),
                order: by_first_example(&groups),
                channels,
                size,
                bytes,
                classes,
                class_names,
                groups,
                described,
            }),
            sha256: format!("{:x}", self.digest.finalize()),
        })
    }
}

/// The array in an IDX file.
fn read(path: &Path) -> Result<Idx, ImageError> {
    let failed = |source| ImageError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    file.by_ref()
        .take(2)
        .read_to_end(&mut start)
        .map_err(failed)?;
    if !is_idx(&start) {
        let problem = "is no folder of images and no IDX file, compressed or not";
        return Err(ImageError::of(path, problem));
    }
    Idx::new(unpacked(Cursor::new(start).chain(file), path)?, path)
}

/// The file of labels that stands beside one of images, as those of MNIST do.
fn labels_beside(images: &Path) -> Result<PathBuf, ImageError> {
    let name = images
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let other = name.replace("images", "labels").replace("idx3", "idx1");
    match other != name {
        true => Ok(images.with_file_name(other)),
        false => {
            let problem = format!(
                "needs a file of labels (labels = FILE): '{}' does not say what theirs is called",
                excerpt(name, SHORT)
            );
            Err(ImageError::of(images, problem))
        }
    }
}

fn grey(
    bytes: Vec<u8>,
    [height, width]: [usize; 2],
    path: &Path,
) -> Result<DynamicImage, ImageError> {
    let image = GrayImage::from_raw(width as u32, height as u32, bytes);
    image
        .map(DynamicImage::from)
        .ok_or_else(|| ImageError::of(path, "holds an image that is cut"))
}

fn colour(
    bytes: Vec<u8>,
    [height, width]: [usize; 2],
    path: &Path,
) -> Result<DynamicImage, ImageError> {
    let image = RgbImage::from_raw(width as u32, height as u32, bytes);
    image
        .map(DynamicImage::from)
        .ok_or_else(|| ImageError::of(path, "holds an image that is cut"))
}
