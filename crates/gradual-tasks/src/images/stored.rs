//! Images as they are held in memory.

use image::DynamicImage;

use super::decode::{has_colours, pixels};
use super::options::{Channels, SIDE};

/// Most bytes of all images together.
const BYTES: usize = 1 << 30;

/// Images of one size, added one after another: a byte for every number.
#[derive(Debug)]
pub(super) struct Stored {
    /// Height and width, where they are known.
    size: Option<[usize; 2]>,
    /// Whether all images are resized.
    is_resized: bool,
    channels: Option<Channels>,
    /// Whether channels were asked for.
    is_asked: bool,
    bytes: Vec<u8>,
    pub(super) images: usize,
}

impl Stored {
    pub(super) fn new(size: Option<[usize; 2]>, channels: Option<Channels>) -> Self {
        Self {
            size,
            is_resized: size.is_some(),
            channels,
            is_asked: channels.is_some(),
            bytes: Vec::new(),
            images: 0,
        }
    }

    /// One image more, or what is wrong with it.
    pub(super) fn push(&mut self, image: DynamicImage) -> Result<(), String> {
        let own = [image.height() as usize, image.width() as usize];
        let size = *self.size.get_or_insert(own);
        if !self.is_resized {
            let [height, width] = own;
            if own != size {
                return Err(format!(
                    "is an image of {width} × {height} pixels, and those before are of {} × {}; resize them all (size)",
                    size[1], size[0]
                ));
            }
            if !(SIDE.contains(&height) && SIDE.contains(&width)) {
                return Err(format!(
                    "is an image of {width} × {height} pixels; a side has from {} to {}: resize them all (size)",
                    SIDE.start(),
                    SIDE.end()
                ));
            }
        }
        let has_colours = has_colours(&image);
        let channels = match (self.channels, has_colours) {
            (Some(channels), _) if self.is_asked => channels,
            (Some(Channels::Grey), true) => {
                // The grey images before it have three equal colours.
                let area = size[0] * size[1];
                let grey = std::mem::take(&mut self.bytes);
                self.bytes.reserve(3 * grey.len());
                for image in grey.chunks_exact(area) {
                    (0..3).for_each(|_| self.bytes.extend_from_slice(image));
                }
                Channels::Colour
            }
            (Some(channels), _) => channels,
            (None, true) => Channels::Colour,
            (None, false) => Channels::Grey,
        };
        self.channels = Some(channels);
        let new = channels.count() * size[0] * size[1];
        if self.bytes.len() + new > BYTES {
            return Err(format!(
                "is one more image than {BYTES} bytes hold, the most of all together; resize them (size)"
            ));
        }
        self.bytes.extend(pixels(image, channels, size));
        self.images += 1;
        Ok(())
    }

    /// Channels, height and width of an image, and the bytes of all, `[images, channels, height, width]`.
    pub(super) fn finish(self) -> (Channels, [usize; 2], Vec<u8>) {
        let channels = self.channels.unwrap_or(Channels::Grey);
        (
            channels,
            self.size.unwrap_or([*SIDE.start(); 2]),
            self.bytes,
        )
    }
}
