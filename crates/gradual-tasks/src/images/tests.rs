use std::fs;
use std::io::Write as _;
use std::path::Path;

use burn::tensor::Device;
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{GrayImage, ImageFormat, RgbImage, RgbaImage};
use rand::SeedableRng;

use super::error::ImageError;
use super::options::{Channels, ImageGroups, ImageOptions};
use super::*;

mod refused;

/// The shapes that the program draws, in files of this extension: DIR/class/way/file, or DIR/class/file.
fn write_shapes(folder: &Path, extension: &str, in_groups: bool, count: usize) {
    for (at, drawn) in shapes::all().take(count).enumerate() {
        let mut place = folder.join(shapes::CLASSES[drawn.class]);
        if in_groups {
            place.push(shapes::WAYS[drawn.way].0);
        }
        fs::create_dir_all(&place).unwrap();
        let side = shapes::SIDE as u32;
        let image = GrayImage::from_raw(side, side, drawn.pixels).unwrap();
        image
            .save(place.join(format!("{at:04}.{extension}")))
            .unwrap();
    }
}

/// An IDX file of these axes.
fn idx(axes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, axes.len() as u8];
    file.extend(axes.iter().flat_map(|length| length.to_be_bytes()));
    file.extend_from_slice(bytes);
    file
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The shapes as two IDX files.
fn shapes_as_idx(count: usize) -> [Vec<u8>; 2] {
    let drawn: Vec<_> = shapes::all().take(count).collect();
    let pixels: Vec<u8> = drawn.iter().flat_map(|one| one.pixels.clone()).collect();
    let labels: Vec<u8> = drawn.iter().map(|one| one.class as u8).collect();
    let side = shapes::SIDE as u32;
    [
        idx(&[count as u32, side, side], &pixels),
        idx(&[count as u32], &labels),
    ]
}

fn open(path: &Path, options: &ImageOptions) -> Result<ImageData, String> {
    ImageData::open(path, options).map_err(|error: ImageError| error.to_string())
}

fn in_folders() -> ImageOptions {
    ImageOptions::default().with_groups(ImageGroups::Folders)
}

fn names(task: &Images) -> Vec<&str> {
    task.capabilities
        .iter()
        .map(|one| one.name.as_str())
        .collect()
}

/// The pixels, the class and the group of every image, in no order.
fn contents(data: &ImageData) -> Vec<(Vec<u8>, String, String)> {
    let data = &data.checked;
    let mut all = Vec::new();
    for group in &data.groups {
        for &image in &group.examples {
            let class = data.class_names[data.classes[image as usize] as usize].clone();
            all.push((data.image(image).to_vec(), class, group.name.clone()));
        }
    }
    all.sort();
    all
}

#[test]
fn shapes_in_folders_are_the_shapes() {
    let home = tempfile::tempdir().unwrap();
    write_shapes(home.path(), "png", true, usize::MAX);
    let read = open(home.path(), &in_folders()).unwrap();
    let drawn = ImageData::shapes().unwrap();
    assert_eq!(contents(&read), contents(&drawn));
    assert_eq!((read.size(), read.channels()), ([16, 16], Channels::Grey));
    assert_eq!(read.classes(), shapes::CLASSES);
    let task = Images::new(&read, &ImagesConfig::default(), 0).unwrap();
    assert_eq!(names(&task), ["group=bright", "group=dark", "group=noisy"]);
    let held: Vec<usize> = task.parts.held_out.iter().map(Vec::len).collect();
    assert_eq!(held, [200, 75, 25]);
    assert_eq!(task.parts.training.len(), 1_300);
    // Stratified: as many of each class.
    for images in &task.parts.held_out {
        for class in 0..4 {
            let its = images
                .iter()
                .filter(|&&image| task.data.classes[image as usize] == class);
            let count = its.count() as f64 - images.len() as f64 / 4.0;
            assert!(count.abs() < 1.0);
        }
    }
    assert_eq!(
        read.notes(),
        [format!(
            "{}: 1600 grey images of 16 × 16 pixels, 4 classes, 3 groups",
            home.path().display()
        )]
    );
}

#[test]
fn idx_files_are_the_same_images_compressed_or_not() {
    let home = tempfile::tempdir().unwrap();
    let [images, labels] = shapes_as_idx(200);
    let at = |name: &str| home.path().join(name);
    fs::write(at("train-images-idx3-ubyte"), &images).unwrap();
    fs::write(at("train-labels-idx1-ubyte"), &labels).unwrap();
    fs::write(at("other.gz"), zipped(&images)).unwrap();
    fs::write(at("numbers.gz"), zipped(&labels)).unwrap();
    let usual = open(&at("train-images-idx3-ubyte"), &ImageOptions::default()).unwrap();
    let packed = ImageOptions::default().with_labels(Some(at("numbers.gz")));
    let packed = open(&at("other.gz"), &packed).unwrap();
    assert_eq!(usual.sha256(), packed.sha256(), "what is in them counts");
    assert_eq!(contents(&usual), contents(&packed));
    assert_eq!(usual.classes(), ["0", "1", "2", "3"]);
    let task = Images::new(&usual, &ImagesConfig::default(), 0).unwrap();
    assert_eq!(names(&task), ["class=0", "class=1", "class=2", "class=3"]);
    // As the shapes are, by plain pixels.
    for (drawn, image) in shapes::all().zip(0..200) {
        assert_eq!(usual.checked.image(image), drawn.pixels);
        assert_eq!(usual.checked.classes[image as usize], drawn.class as i32);
    }
    let unsaid = open(&at("other.gz"), &ImageOptions::default()).unwrap_err();
    assert!(unsaid.ends_with(
        "needs a file of labels (labels = FILE): 'other.gz' does not say what theirs is called"
    ));
    // Bytes after the end are not what another compressed part begins with.
    fs::write(at("more.gz"), [zipped(&images), b"more".to_vec()].concat()).unwrap();
    let more = ImageOptions::default().with_labels(Some(at("numbers.gz")));
    let more = open(&at("more.gz"), &more).unwrap_err();
    assert!(
        more.contains("ends too early, is damaged, or goes on after its end"),
        "{more}"
    );
    let folders = open(&at("other.gz"), &in_folders()).unwrap_err();
    assert!(
        folders.contains("is no folder, and groups are to be folders"),
        "{folders}"
    );
}

#[test]
fn groups_come_from_a_file() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("images");
    write_shapes(&folder, "png", false, 64);
    let classes = open(&folder, &ImageOptions::default()).unwrap();
    let file = home.path().join("groups.csv");
    let by = ImageOptions::default().with_groups(ImageGroups::File(file.clone()));
    let listed: Vec<String> = (0..64)
        .map(|at| format!("{}/{at:04}.png", shapes::CLASSES[at % 4]))
        .collect();
    let rows = |separator: &str| {
        let row = |(at, name): (usize, &String)| {
            format!("{}{separator}{name}\n", ["day", "night"][at / 4 % 2])
        };
        let rows: String = listed.iter().enumerate().map(row).collect();
        format!("group{separator}file\n{rows}")
    };
    for separator in [",", ";", "\t"] {
        fs::write(&file, rows(separator)).unwrap();
        let data = open(&folder, &by).unwrap();
        let task = Images::new(&data, &ImagesConfig::default(), 0).unwrap();
        assert_eq!(names(&task), ["group=day", "group=night"]);
        assert_ne!(data.sha256(), classes.sha256(), "groups count");
        for group in &data.checked.groups {
            let is_night = group.name == "group=night";
            assert_eq!(group.examples.len(), 32);
            for &image in &group.examples {
                // In the order of names: sixteen of each class.
                assert_eq!(image % 16 % 2 == 1, is_night, "{image}");
            }
        }
    }
    for (text, said) in [
        (
            rows(",").replace("cross/0000.png", "cross/0001.png"),
            "groups.csv, line 2: column 'file': there is no image 'cross/0001.png'; names are as 'cross/0000.png'",
        ),
        (
            rows(",").replace("disc/0001.png", "cross/0000.png"),
            "groups.csv, line 3: column 'file': 'cross/0000.png' stands above, too",
        ),
        (
            rows(",").replace("day,square/0002.png\n", ""),
            "groups.csv: names no group of 'square/0002.png'",
        ),
        (
            rows(",").replace("day,square/0002.png", ",square/0002.png"),
            "groups.csv, line 4: column 'group' is empty",
        ),
        (
            rows(",").replace("group,", "kind,"),
            "groups.csv, line 1: there is no column 'group'; file and group are needed, and there are kind, file",
        ),
        (
            rows(",").replace("day,square/0002.png", "day,\"square/0002.png"),
            "a quote opens a cell and none closes it",
        ),
        (
            String::new(),
            "the file is empty; a line with the columns file and group is needed",
        ),
    ] {
        fs::write(&file, text).unwrap();
        let error = open(&folder, &by).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    fs::write(&file, b"group,file\n\xff,x\n").unwrap();
    assert!(open(&folder, &by).unwrap_err().contains("line 2"));
}

#[test]
fn colours_sizes_and_transparency() {
    let home = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        fs::create_dir(home.path().join(class)).unwrap();
    }
    let at = |name: &str| home.path().join(name);
    GrayImage::from_pixel(12, 10, image::Luma([9]))
        .save(at("a/1.png"))
        .unwrap();
    GrayImage::from_pixel(12, 10, image::Luma([7]))
        .save(at("b/1.png"))
        .unwrap();
    RgbImage::from_pixel(12, 10, image::Rgb([1, 2, 3]))
        .save(at("b/2.png"))
        .unwrap();
    // Half transparent black is grey on white, and nothing at all is white.
    RgbaImage::from_fn(12, 10, |x, _| {
        image::Rgba([0, 0, 0, if x == 0 { 128 } else { 0 }])
    })
    .save(at("a/2.png"))
    .unwrap();
    let data = open(home.path(), &ImageOptions::default()).unwrap();
    assert_eq!((data.size(), data.channels()), ([10, 12], Channels::Colour));
    let image = |image: u32| data.checked.image(image);
    assert_eq!(image(0), [9; 360]);
    assert_eq!(image(1)[..3], [127, 255, 255]);
    assert_eq!(image(2), [7; 360]);
    assert_eq!(
        image(3),
        [vec![1; 120], vec![2; 120], vec![3; 120]].concat()
    );
    let grey = ImageOptions::default()
        .with_channels(Some(Channels::Grey))
        .with_size(Some([8, 9]));
    let grey = open(home.path(), &grey).unwrap();
    assert_eq!((grey.size(), grey.channels()), ([8, 9], Channels::Grey));
    assert_eq!(grey.checked.image(2), [7; 72]);
    assert_eq!(grey.sha256(), data.sha256(), "the same files");

    GrayImage::new(13, 10).save(at("b/3.jpg")).unwrap();
    let error = open(home.path(), &ImageOptions::default()).unwrap_err();
    assert!(
        error.ends_with("b/3.jpg: is an image of 13 × 10 pixels, and those before are of 12 × 10; resize them all (size)"),
        "{error}"
    );
    let small = ImageOptions::default().with_size(Some([4, 9]));
    let error = open(home.path(), &small).unwrap_err();
    assert_eq!(error, "size = 4, but it is a whole number from 8 to 1024");
}

/// A resized image is the plain weighted mean of the pixels that it covers.
#[test]
fn a_half_as_large_image_is_means_of_pixels() {
    let image = GrayImage::from_fn(32, 32, |x, y| image::Luma([(x * 5 + y * 2) as u8]));
    let half = decode::pixels(image.clone().into(), Channels::Grey, [16, 16]);
    for y in 0..16 {
        for x in 0..16 {
            // Triangles of half-width two old pixels: weights 1, 3, 3, 1 along each axis, cut at the border.
            let (mut sum, mut weights) = (0.0, 0.0);
            for (down, v) in (-1..3).zip([1.0, 3.0, 3.0, 1.0]) {
                for (right, h) in (-1..3).zip([1.0, 3.0, 3.0, 1.0]) {
                    let (at_x, at_y) = (2 * x + right, 2 * y + down);
                    if (0..32).contains(&at_x) && (0..32).contains(&at_y) {
                        sum += v * h * f64::from(image.get_pixel(at_x as u32, at_y as u32)[0]);
                        weights += v * h;
                    }
                }
            }
            let got = f64::from(half[(y * 16 + x) as usize]);
            assert!(
                (got - sum / weights).abs() <= 1.0,
                "{x} {y}: {got} {}",
                sum / weights
            );
        }
    }
}

#[test]
fn draws_are_standardised_and_evaluations_in_parts_are_the_whole() {
    let data = ImageData::shapes().unwrap();
    let config = ImagesConfig {
        filters: 4,
        held_out: 30,
    };
    let task = Images::new(&data, &config, 3).unwrap();
    let device = Device::flex();
    let all = task.batch(&task.parts.training, &device);
    let pixels: Vec<f32> = all.images.into_data().try_to_vec().unwrap();
    let n = pixels.len() as f64;
    let mean = pixels.iter().map(|&value| f64::from(value)).sum::<f64>() / n;
    let square = pixels
        .iter()
        .map(|&value| f64::from(value).powi(2))
        .sum::<f64>()
        / n;
    assert!(
        mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4,
        "{mean} {square}"
    );

    let mut random = ChaCha8Rng::seed_from_u64(0);
    let model = task.model(&mut random, &device);
    let scores = task.evaluate(&model, &device).unwrap();
    // One by one, in plain numbers.
    for (images, score) in task.parts.held_out.iter().zip(scores) {
        let (mut loss, mut right) = (0.0, 0.0);
        for &image in images {
            let batch = task.batch(&[image], &device);
            let logits: Vec<f32> = model
                .forward(batch.images)
                .into_data()
                .try_to_vec()
                .unwrap();
            let class = task.data.classes[image as usize] as usize;
            let sum: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
            loss += sum.ln() - f64::from(logits[class]);
            right += f64::from(u8::from(logits.iter().all(|&other| other <= logits[class])));
        }
        let n = images.len() as f64;
        assert!((score.loss - loss / n).abs() < 1e-5 && (score.accuracy - right / n).abs() < 1e-9);
    }
    let again = Images::new(&data, &config, 3).unwrap();
    assert_eq!(again.parts.held_out, task.parts.held_out);
    assert_ne!(
        Images::new(&data, &config, 4).unwrap().parts.held_out,
        task.parts.held_out
    );
    let drawn = task.draw_of(&[2, 0], &mut random, &device).unwrap();
    assert_eq!(drawn.labels, [Some(2), Some(0)]);
    assert_eq!(drawn.batch.images.dims(), [2, 1, 16, 16]);

    for (filters, held_out, said) in [
        (0, 10, "filters = 0, but it is a whole number from 1 to 256"),
        (
            4,
            0,
            "held_out = 0, but it is a whole number from 1 to 100000",
        ),
    ] {
        let error = Images::new(&data, &ImagesConfig { filters, held_out }, 0).unwrap_err();
        assert_eq!(error.to_string(), said);
    }
}
