//! Images while they are read.

use std::fs::File;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradual_registry::excerpt;
use image::{DynamicImage, GrayImage, RgbImage};
use sha2::{Digest, Sha256};

use super::data::{Checked, ImageData};
use super::error::{ImageError, SHORT};
use super::idx::{Idx, is_idx, unpacked};
use super::options::{Channels, ImageGroups, ImageOptions};
use super::stored::Stored;
use super::{assignment, decode, folder};
use crate::finite::few::few_held_out;
use crate::finite::groups::{by_first_example, grouped, in_one_part};
use crate::finite::out_of;
use crate::finite::texts::Texts;

/// Fewest and most classes.
const CLASSES: std::ops::RangeInclusive<usize> = 2..=1_000;
/// Most groups.
const GROUPS: usize = 50_000;

/// Images while they are read.
pub(super) struct Reading {
    /// What messages call them.
    path: PathBuf,
    stored: Stored,
    /// The class and the group of each image, as places among the values.
    classes: Vec<u32>,
    class_values: Texts,
    groups: Vec<u32>,
    group_values: Texts,
    pub(super) digest: Sha256,
    notes: Vec<String>,
}

impl Reading {
    pub(super) fn new(path: &Path, options: &ImageOptions) -> Self {
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
    pub(super) fn push(
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

    pub(super) fn of_folder(mut self, options: &ImageOptions) -> Result<Self, ImageError> {
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

    pub(super) fn of_idx(mut self, options: &ImageOptions) -> Result<Self, ImageError> {
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
        if !labels_path.exists() {
            let problem = format!(
                "needs a file of labels, and there is no {}: say where theirs are (labels = FILE, or --labels FILE)",
                labels_path.display()
            );
            return Err(ImageError::of(&path, problem));
        }
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
            let image = image(bytes.to_vec(), channels, size, &path)?;
            let class = label.to_string();
            let group = assigned
                .as_ref()
                .map_or(class.as_str(), |groups| &groups[at]);
            self.push(&path, image, &class, group)?;
        }
        Ok(self)
    }

    pub(super) fn check(self, options: &ImageOptions) -> Result<ImageData, ImageError> {
        let path = &self.path.clone();
        let refused = |problem: String| ImageError::of(path, problem);
        let images = self.stored.images;
        if self.class_values.len() < *CLASSES.start() {
            return Err(refused(format!(
                "holds images of {} {}; from {} to {} are needed",
                self.class_values.len(),
                if self.class_values.len() == 1 {
                    "class"
                } else {
                    "classes"
                },
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
        let held = groups
            .iter()
            .map(|group| (group.name.as_str(), out_of(group.examples.len())));
        warnings.extend(few_held_out(held, "image", true));
        let (channels, size, bytes) = self.stored.finish();
        let colours = match channels {
            Channels::Grey => "grey",
            Channels::Colour => "colour",
        };
        let [height, width] = size;
        let described = format!(
            "{images} {colours} images of {width} × {height} pixels, {} classes, {} {}",
            class_names.len(),
            groups.len(),
            if groups.len() == 1 { "group" } else { "groups" }
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

/// A grey image, or with three `channels` one in colour, of these bytes.
pub(super) fn image(
    bytes: Vec<u8>,
    channels: usize,
    [height, width]: [usize; 2],
    path: &Path,
) -> Result<DynamicImage, ImageError> {
    let (width, height) = (width as u32, height as u32);
    let image = match channels {
        1 => GrayImage::from_raw(width, height, bytes).map(DynamicImage::from),
        _ => RgbImage::from_raw(width, height, bytes).map(DynamicImage::from),
    };
    image.ok_or_else(|| ImageError::of(path, "holds an image that is cut"))
}
