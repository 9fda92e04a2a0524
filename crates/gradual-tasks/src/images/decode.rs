//! One PNG or JPEG file.

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::error::ImageError;
use super::options::Channels;

/// Longest side of an image, in pixels.
const SIDE: u32 = 16_384;
/// Most bytes of a decoded image, and of what its decoder takes beside it.
const DECODED: u64 = 1 << 28;

/// The image in these bytes, upright.
pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<DynamicImage, ImageError> {
    let failed = |error: image::ImageError| ImageError::of(path, reason(&error));
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| failed(error.into()))?;
    match reader.format() {
        Some(ImageFormat::Png | ImageFormat::Jpeg) => {}
        _ => return Err(ImageError::of(path, "is neither a PNG nor a JPEG file")),
    }
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(DECODED);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > DECODED {
        return Err(ImageError::of(
            path,
            format!(
                "is an image of {width} × {height} pixels, {} bytes when decoded; {DECODED} is the most",
                decoder.total_bytes()
            ),
        ));
    }
    // As the camera was held, where a JPEG file tells it.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn reason(error: &image::ImageError) -> String {
    match error {
        image::ImageError::Limits(_) => format!(
            "is too large an image: at most {SIDE} pixels a side and {DECODED} bytes when decoded"
        ),
        other => format!("can't be decoded: {other}"),
    }
}

/// Whether an image has colours.
pub(super) fn has_colours(image: &DynamicImage) -> bool {
    image.color().has_color()
}

/// The pixels of an image at this size (height, width), channel by channel: `[channels, height, width]`. What is
/// transparent is laid on white.
pub(super) fn pixels(
    image: DynamicImage,
    channels: Channels,
    [height, width]: [usize; 2],
) -> Vec<u8> {
    let opaque = match image.color().has_alpha() {
        true => on_white(&image),
        false => image,
    };
    // Each new pixel is a mean of those that it covers, weighted by distance.
    let resized = match (opaque.height() as usize, opaque.width() as usize) == (height, width) {
        true => opaque,
        false => opaque.resize_exact(
            width as u32,
            height as u32,
            image::imageops::FilterType::Triangle,
        ),
    };
    match channels {
        Channels::Grey => resized.into_luma8().into_raw(),
        Channels::Colour => {
            let colours = resized.into_rgb8().into_raw();
            (0..3)
                .flat_map(|channel| colours.iter().skip(channel).step_by(3).copied())
                .collect()
        }
    }
}

fn on_white(image: &DynamicImage) -> DynamicImage {
    let mut colours = image.to_rgba8();
    for pixel in colours.pixels_mut() {
        let alpha = u32::from(pixel[3]);
        for channel in 0..3 {
            let mixed = u32::from(pixel[channel]) * alpha + 255 * (255 - alpha);
            pixel[channel] = ((mixed + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    let opaque = DynamicImage::ImageRgba8(colours);
    match image.color().has_color() {
        true => opaque.into_rgb8().into(),
        false => opaque.into_luma8().into(),
    }
}
