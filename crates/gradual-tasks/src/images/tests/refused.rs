//! What can't be used is refused by name.

use super::*;

#[test]
fn what_is_no_image_is_named() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let usual = ImageOptions::default();
    let said = || open(home.path(), &usual).unwrap_err();
    assert!(
        said().contains("holds no PNG and no JPEG file"),
        "{}",
        said()
    );
    fs::create_dir_all(at("a/deep")).unwrap();
    assert!(said().ends_with(
        "a/deep: is a folder in that of a class; if it is a group, say so (group = folders)"
    ));
    fs::remove_dir(at("a/deep")).unwrap();
    fs::write(at("a/.hidden"), "").unwrap();
    fs::write(at("a/notes.txt"), "").unwrap();
    let good = GrayImage::new(8, 8);
    good.save(at("a/1.png")).unwrap();
    good.save(at("a/2.png")).unwrap();
    assert!(
        said().contains("holds images of 1 class; from 2 to 1000 are needed"),
        "{}",
        said()
    );
    fs::create_dir(at("b")).unwrap();
    good.save(at("b/1.png")).unwrap();
    good.save(at("b/2.png")).unwrap();
    let data = open(home.path(), &usual).unwrap();
    assert!(
        data.notes()[1]
            .ends_with("1 file is neither PNG nor JPEG by name, and left out: a/notes.txt")
    );

    good.save(at("stray.png")).unwrap();
    assert!(
        said().ends_with("stray.png: stands in no folder of a class: images are DIR/class/file")
    );
    fs::remove_file(at("stray.png")).unwrap();
    let whole = fs::read(at("a/1.png")).unwrap();
    for (bytes, what) in [
        (
            &b"no image"[..],
            "b/3.png: is neither a PNG nor a JPEG file",
        ),
        (b"", "b/3.png: is neither a PNG nor a JPEG file"),
        (
            b"GIF89a\x01\0\x01\0",
            "b/3.png: is neither a PNG nor a JPEG file",
        ),
        (&whole[..whole.len() / 2], "b/3.png: can't be decoded: "),
    ] {
        fs::write(at("b/3.png"), bytes).unwrap();
        assert!(said().contains(what), "{}", said());
    }
    fs::remove_file(at("b/3.png")).unwrap();
    let missing = open(&at("no"), &usual).unwrap_err();
    assert!(missing.contains("no: No such file"), "{missing}");
    let text = open(&at("a/notes.txt"), &usual).unwrap_err();
    assert!(
        text.ends_with("is no folder of images and no IDX file, compressed or not"),
        "{text}"
    );
    let labels = usual.clone().with_labels(Some(at("x")));
    assert!(
        open(home.path(), &labels)
            .unwrap_err()
            .contains("a file of labels goes with an IDX file")
    );
}

/// A few bytes that say that they are a huge image are refused before they are decoded.
#[test]
fn decompression_bombs_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for class in ["a", "b"] {
        fs::create_dir(home.path().join(class)).unwrap();
        GrayImage::new(8, 8)
            .save(home.path().join(class).join("1.png"))
            .unwrap();
    }
    let bomb = home.path().join("b/2.png");
    let mut png = Vec::new();
    GrayImage::new(1, 1)
        .write_to(&mut std::io::Cursor::new(&mut png), ImageFormat::Png)
        .unwrap();
    for (width, height, kind) in [
        (60_000_u32, 60_000_u32, 0_u8),
        (16_000, 16_000, 6),
        (20_000, 1, 0),
    ] {
        let mut bytes = png.clone();
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        bytes[25] = kind;
        let check = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&check.to_be_bytes());
        fs::write(&bomb, bytes).unwrap();
        let started = std::time::Instant::now();
        let error = open(
            home.path(),
            &ImageOptions::default().with_size(Some([8, 8])),
        )
        .unwrap_err();
        assert!(error.contains("b/2.png: is "), "{error}");
        assert!(error.contains("268435456"), "{error}");
        assert!(started.elapsed().as_secs() < 5);
    }
    // A gigabyte of zeros in a megabyte.
    fs::remove_file(&bomb).unwrap();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&idx(&[1 << 17, 100, 100], &[])).unwrap();
    for _ in 0..1_025 {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let file = home.path().join("images-idx3.gz");
    fs::write(&file, encoder.finish().unwrap()).unwrap();
    fs::write(
        home.path().join("labels-idx1.gz"),
        idx(&[1 << 17], &[0; 1 << 17]),
    )
    .unwrap();
    let error = open(&file, &ImageOptions::default()).unwrap_err();
    assert!(
        error.ends_with("is larger than 1073741824 bytes, the most of an IDX file"),
        "{error}"
    );
}

/// The checksum of a part of a PNG file, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let all = bytes.iter().fold(u32::MAX, |check, &byte| {
        (0..8).fold(check ^ u32::from(byte), |check, _| match check & 1 {
            1 => check >> 1 ^ 0xedb8_8320,
            _ => check >> 1,
        })
    });
    !all
}

#[test]
fn idx_files_that_are_wrong_are_named() {
    let home = tempfile::tempdir().unwrap();
    let images = home.path().join("images-idx3");
    let labels = home.path().join("labels-idx1");
    let side = [0_u8; 64];
    let four = side.repeat(4);
    let right = (idx(&[4, 8, 8], &four), idx(&[4], &[0, 1, 0, 1]));
    let mut cases = vec![
        (
            vec![0, 0],
            right.1.clone(),
            "images-idx3: is no IDX file, which begins",
        ),
        (
            vec![0, 0, 13, 1, 0, 0, 0, 0],
            right.1.clone(),
            "holds numbers of type 0x0d",
        ),
        (
            vec![0, 0, 8, 3, 0, 0],
            right.1.clone(),
            "ends within its header of 3 axes",
        ),
        (
            idx(&[4, 8, 8], &four[1..]),
            right.1.clone(),
            "says that it holds 4 × 8 × 8 bytes, but holds 255",
        ),
        (
            idx(&[7; 200], &four),
            right.1.clone(),
            "says that it holds 7 × 7 × 7 × 7 × … (200 axes) bytes, but holds 256",
        ),
        (
            idx(&[u32::MAX, u32::MAX, u32::MAX], &four),
            right.1.clone(),
            "but holds 256",
        ),
        (
            idx(&[256], &four),
            right.1.clone(),
            "images are [images, height, width]",
        ),
        (
            idx(&[4, 8, 2, 4], &four),
            right.1.clone(),
            "has axes of [4, 8, 2, 4]",
        ),
        (
            idx(&[4, 4, 16], &four),
            right.1.clone(),
            "of 16 × 4 pixels; a side has from 8 to 1024: resize",
        ),
        (
            idx(&[4, 0, 8], &[]),
            right.1.clone(),
            "holds images without pixels",
        ),
        (
            right.0.clone(),
            idx(&[3], &[0, 1, 0]),
            "labels-idx1: has axes of [3]; one label for each of 4 images is needed",
        ),
        (
            right.0.clone(),
            idx(&[4], &[0, 1, 2, 3]),
            "every class has a single image; none can be measured",
        ),
        (
            zipped(&right.0)[..40].to_vec(),
            right.1.clone(),
            "images-idx3: ",
        ),
    ];
    cases.push((
        idx(&[0, 8, 8], &[]),
        idx(&[0], &[]),
        "holds images of 0 classes",
    ));
    for (one, other, said) in cases {
        fs::write(&images, one).unwrap();
        fs::write(&labels, other).unwrap();
        let error = open(&images, &ImageOptions::default()).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    fs::write(&images, &right.0).unwrap();
    fs::write(&labels, &right.1).unwrap();
    assert!(open(&images, &ImageOptions::default()).is_ok());
    // Colour, the last axis being the colours.
    fs::write(&images, idx(&[4, 8, 8, 3], &[1, 2, 3].repeat(256))).unwrap();
    let data = open(&images, &ImageOptions::default()).unwrap();
    assert_eq!(
        data.checked.image(1),
        [vec![1; 64], vec![2; 64], vec![3; 64]].concat()
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    write_shapes(folder.path(), "png", false, 4);
    let class = std::fs::read_dir(folder.path()).unwrap().next();
    let pipe = class.unwrap().unwrap().path().join("pipe.png");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let error = open(folder.path(), &ImageOptions::default()).err().unwrap();
    assert!(
        error.contains("pipe.png") && error.contains("is a pipe"),
        "{error}"
    );
}
