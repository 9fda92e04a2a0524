//! Images that are drawn: four shapes in three ways, one of which is rare.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Side of an image, in pixels.
pub(super) const SIDE: usize = 16;
/// The classes.
pub(super) const CLASSES: [&str; 4] = ["cross", "disc", "square", "triangle"];
/// The ways of drawing, and how many of sixteen images are drawn so.
pub(super) const WAYS: [(&str, usize); 3] = [("bright", 12), ("dark", 3), ("noisy", 1)];
/// How many images there are.
const IMAGES: usize = 1_600;

/// A drawn image.
pub(super) struct Drawn {
    pub(super) pixels: Vec<u8>,
    /// Its places among [`CLASSES`] and [`WAYS`].
    pub(super) class: usize,
    pub(super) way: usize,
}

/// All images, always the same.
pub(super) fn all() -> impl Iterator<Item = Drawn> {
    let mut random = ChaCha8Rng::seed_from_u64(0x5ba9e5);
    (0..IMAGES).map(move |at| {
        let class = at % CLASSES.len();
        let mut place = at / CLASSES.len() % 16;
        let mut way = 0;
        while place >= WAYS[way].1 {
            place -= WAYS[way].1;
            way += 1;
        }
        Drawn {
            pixels: draw(class, way, &mut random),
            class,
            way,
        }
    })
}

fn draw(class: usize, way: usize, random: &mut ChaCha8Rng) -> Vec<u8> {
    let radius: f64 = random.random_range(3.0..5.5);
    let [x, y]: [f64; 2] = [(); 2].map(|()| random.random_range(6.0..9.0));
    let bright: f64 = random.random_range(150.0..230.0);
    let noise = if way == 2 { 90.0 } else { 12.0 };
    let pixel = |at: usize| {
        let (right, down) = ((at % SIDE) as f64 - x, (at / SIDE) as f64 - y);
        let is_in = match class {
            0 => {
                right.abs().min(down.abs()) <= radius / 3.0 && right.abs().max(down.abs()) <= radius
            }
            1 => right.hypot(down) <= radius,
            2 => right.abs().max(down.abs()) <= 0.8 * radius,
            _ => down.abs() <= radius && right.abs() <= 0.5 * (down + radius),
        };
        let value = if is_in { bright } else { 20.0 };
        let value = if way == 1 { 255.0 - value } else { value };
        let noisy: f64 = value + random.random_range(-noise..noise);
        noisy.clamp(0.0, 255.0) as u8
    };
    (0..SIDE * SIDE).map(pixel).collect()
}
