//! Images in folders: DIR/class/file, or DIR/class/group/file.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gradual_registry::excerpt;

use super::error::{ImageError, SHORT};
use super::options::ImageGroups;

/// Most bytes of a file.
const BYTES: u64 = 1 << 26;
/// Most files.
const FILES: usize = 1_000_000;
/// Most files that a note names.
const NAMED: usize = 5;

/// A file of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    /// Its path from the folder of the data on, with `/` between folders.
    pub(super) name: String,
    pub(super) class: String,
    /// The folder within that of the class, where groups are such folders.
    pub(super) group: Option<String>,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of their names.
    pub(super) images: Vec<Found>,
    /// Names of files that are no images.
    others: Vec<String>,
}

/// The images in `folder`.
pub(super) fn list(folder: &Path, groups: &ImageGroups) -> Result<Listing, ImageError> {
    let mut listing = Listing::default();
    for (class, path) in entries(folder)? {
        if !path.is_dir() {
            match is_image(&path) {
                true => {
                    return Err(ImageError::of(
                        &path,
                        "stands in no folder of a class: images are DIR/class/file",
                    ));
                }
                false => listing.others.push(class),
            }
            continue;
        }
        for (name, path) in entries(&path)? {
            let below = format!("{class}/{name}");
            match (path.is_dir(), groups) {
                (false, ImageGroups::Folders) if is_image(&path) => {
                    return Err(ImageError::of(
                        &path,
                        "stands in no folder of a group: where groups are folders, images are DIR/class/group/file",
                    ));
                }
                (false, _) => listing.push(path, below, &class, None)?,
                (true, ImageGroups::Folders) => {
                    for (file, path) in entries(&path)? {
                        if path.is_dir() {
                            return Err(ImageError::of(
                                &path,
                                "is a folder in that of a group; images are DIR/class/group/file",
                            ));
                        }
                        listing.push(path, format!("{below}/{file}"), &class, Some(&name))?;
                    }
                }
                (true, _) => {
                    return Err(ImageError::of(
                        &path,
                        "is a folder in that of a class; if it is a group, say so (group = folders)",
                    ));
                }
            }
        }
    }
    match listing.images.is_empty() {
        true => Err(ImageError::of(
            folder,
            "holds no PNG and no JPEG file in the folder of a class: images are DIR/class/file",
        )),
        false => Ok(listing),
    }
}

impl Listing {
    fn push(
        &mut self,
        path: PathBuf,
        name: String,
        class: &str,
        group: Option<&str>,
    ) -> Result<(), ImageError> {
        if !is_image(&path) {
            self.others.push(name);
            return Ok(());
        }
        if self.images.len() == FILES {
            let problem = format!("is one more than {FILES} images, the most that are read");
            return Err(ImageError::of(&path, problem));
        }
        self.images.push(Found {
            path,
            name,
            class: class.to_owned(),
            group: group.map(str::to_owned),
        });
        Ok(())
    }

    /// A sentence on the files that were left out, if there are such.
    pub(super) fn left_out(&self) -> Option<String> {
        let named: Vec<String> = (self.others.iter().take(NAMED))
            .map(|name| excerpt(name, SHORT))
            .collect();
        let count = match self.others.len() {
            0 => return None,
            1 => "1 file is".to_owned(),
            several => format!("{several} files are"),
        };
        let more = match self.others.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!(
            "{count} neither PNG nor JPEG by name, and left out: {}{more}",
            named.join(", ")
        ))
    }
}

/// What is in a folder, in the order of names. What begins with a dot is hidden.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, ImageError> {
    let failed = |source| ImageError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name().into_string();
        let name = name.map_err(|_| ImageError::of(&path, "has a name that is not UTF-8 text"))?;
        if !name.starts_with('.') {
            entries.push((name, path));
        }
    }
    entries.sort();
    Ok(entries)
}

/// Whether a file is called as images are.
fn is_image(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let known = |extension: &str| {
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    };
    extension.is_some_and(known)
}

/// The bytes of a file.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, ImageError> {
    let failed = |source| ImageError::Read {
        path: path.to_owned(),
        source,
    };
    // A pipe would be waited for.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(ImageError::of(path, "is a pipe, a socket or a device"));
    }
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    match bytes.len() as u64 > BYTES {
        true => Err(ImageError::of(
            path,
            format!("is larger than {BYTES} bytes, the most of an image's file"),
        )),
        false => Ok(bytes),
    }
}
