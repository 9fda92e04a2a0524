//! Where tables come from: files, pipes, bytes, datasets.

use super::*;

#[test]
fn bytes_that_are_no_table_are_named() {
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain("y,g,a\n".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, message) in [
        (utf16.as_slice(), "is text in UTF-16; save it as UTF-8"),
        (b"\xfe\xff\0y\0,\0g", "is text in UTF-16"),
        (b"y\0,\0g\0", "holds NUL bytes, so it is no text"),
        (
            b"y,g,a\n1,2,3\n0,1,\0\n",
            "holds NUL bytes, so it is no text",
        ),
        (b"\x1f\x8b\x08\0\0", "is compressed by gzip"),
        (b"PK\x03\x04\x14", "is a ZIP archive"),
        (b"PAR1\x15", "is a Parquet file"),
        (
            b"y,g,gr\xf6\xdfe\n1,2,3\n",
            "the name of column 3 is not UTF-8 text: 'gr\u{fffd}\u{fffd}e'",
        ),
        (
            b"y,g,a\n1,2,\xff\n",
            "line 2, column 'a': '\u{fffd}' is not UTF-8 text",
        ),
    ] {
        assert!(wrong(bytes).contains(message), "{}", wrong(bytes));
    }
    // A mark of the byte order before UTF-8, and the ends of lines of other systems.
    for text in [
        "\u{feff}y,g,a\n0,1,2\n1,1,3\n",
        "y,g,a\r\n0,1,2\r\n1,1,3\r\n",
        "y,g,a\r0,1,2\r1,1,3",
        " y , g , a \n\n 0 , 1 , 2 \n\n 1 , 1 , 3 ",
    ] {
        assert_eq!(names(&Table::new(&read(text).unwrap(), 0)), ["g=1"]);
    }
}

#[test]
fn paths_that_are_no_file_are_named() {
    let message = |path: &Path| TableData::open(path, &usual()).unwrap_err().to_string();
    assert!(message(Path::new("/no/such/file.csv")).starts_with("/no/such/file.csv: No such file"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        message(folder.path()),
        format!(
            "{}: is a directory; a CSV file is needed",
            folder.path().display()
        )
    );
}

/// Devices without an end are refused at the limit, or where they are no text.
#[test]
fn what_has_no_end_is_refused() {
    #[cfg(unix)]
    {
        let zero = TableData::open(Path::new("/dev/zero"), &usual()).unwrap_err();
        assert_eq!(
            zero.to_string(),
            "/dev/zero: holds NUL bytes, so it is no text"
        );
    }
    let endless = |line: &'static [u8]| {
        let rows = b"y,g,a\n".iter().chain(line.iter().cycle());
        let mut rows = rows.copied();
        struct Bytes<I>(I);
        impl<I: Iterator<Item = u8>> Read for Bytes<I> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let bytes = buffer.iter_mut().zip(&mut self.0);
                Ok(bytes.map(|(to, from)| *to = from).count())
            }
        }
        let source = source::Source::new(Bytes(&mut rows), 40 << 20);
        let read = read::read(source, "FILE", &usual());
        read.map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        endless(b"0,1,5000000000\n1,1,6000000000\n"),
        "FILE: is larger than 41943040 bytes, the most of a table"
    );
    assert_eq!(endless(b"7"), "FILE: has a line of more than 16 MiB");
    // Larger than the limit by its length, though there is nothing on the disk.
    let sparse = file("y,g,a\n0,1,2\n");
    sparse.as_file().set_len((1 << 30) + 1).unwrap();
    let message = TableData::open(sparse.path(), &usual())
        .unwrap_err()
        .to_string();
    assert!(
        message.ends_with("is larger than 1073741824 bytes, the most of a table"),
        "{message}"
    );
}

/// A pipe can be read only once, and from its beginning to its end.
#[cfg(unix)]
#[test]
fn pipes_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let text = "y,g,a\n".to_owned() + &"0,1,2\n1,1,3\n".repeat(50_000);
    let (to, written) = (pipe.clone(), text.clone());
    let writer = std::thread::spawn(move || std::fs::write(to, written));
    let data = TableData::open(&pipe, &usual()).unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(data.sha256(), read(&text).unwrap().sha256());
    let (one, other) = (Table::new(&data, 0), Table::new(&data, 1));
    assert_eq!(one.data.targets.classes().len(), 100_000);
    assert!(Arc::ptr_eq(&one.data, &other.data), "seeds share the rows");
    assert_ne!(one.parts.held_out, other.parts.held_out);
}

#[test]
fn data_is_known_by_its_digest() {
    let text = "y,g,a\n0,1,2\n1,1,3\n";
    let data = read(text).unwrap();
    // By coreutils.
    assert_eq!(
        data.sha256(),
        "dc793f1687ab5115ee8f124af7ecd57ba633e3a816fa1b0f04ef68d0779875ae"
    );
    assert_eq!(data.predicted(), &Predicted::Class("y".to_owned()));
    assert_eq!(data.group(), "g");
    let kept = file(text);
    let moved = TableData::open(kept.path(), &usual()).unwrap();
    assert_eq!(moved.sha256(), data.sha256(), "the place is no part of it");
    for other in [
        "y,g,a\n0,1,2\n1,1,4\n",
        "y,g,a\n0,1,2\n1,1,3",
        "y,g,b\n0,1,2\n1,1,3\n",
    ] {
        assert_ne!(read(other).unwrap().sha256(), data.sha256());
    }
    let wine = TableData::red_wine().unwrap();
    assert_eq!(
        wine.sha256(),
        "80b6e4c1793de179ac71da47b74e566cc1083d52613d3fb0197c4f049dc84b36"
    );
    assert_eq!(
        (wine.predicted().column(), wine.group()),
        ("good", "quality")
    );
}

/// Rows through Burn's own dataset are those of a file, and every way to draw them gives them back.
#[test]
fn a_dataset_is_a_table() {
    use burn::data::dataset::InMemDataset;
    use rand::SeedableRng;

    let row = |i: usize| TableRow {
        features: vec![i as f64 / 7.0, (i % 3) as f64],
        label: (i % 2) as f64,
        group: (i % 5) as f64,
    };
    let rows: Vec<TableRow> = (0..40).map(row).collect();
    let text: String = rows
        .iter()
        .map(|r| {
            format!(
                "{},{},{},{}\n",
                r.features[0], r.features[1], r.label, r.group
            )
        })
        .collect();
    let file = file(&format!("a,b,y,g\n{text}"));
    let read = Table::new(&TableData::open(file.path(), &usual()).unwrap(), 3);
    let data = TableData::from_dataset(&InMemDataset::new(rows), "g").unwrap();
    let table = Table::new(&data, 3);
    assert_eq!(features(&table), features(&read));
    assert_eq!(table.capabilities, read.capabilities);

    let device = Device::flex();
    let items = table.items().unwrap();
    assert_eq!(items, 40 - 5 * 2);
    let picked = table.pick(&[0, items - 1], &device).unwrap();
    assert_eq!(
        picked.labels,
        [labels(&table)[0], labels(&table)[items - 1]]
    );
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let chosen = table.draw_of(&[4, 0, 4], &mut random, &device).unwrap();
    assert_eq!(chosen.labels, [Some(4), Some(0), Some(4)]);

    let refused = |rows: Vec<TableRow>| {
        let data = TableData::from_dataset(&InMemDataset::new(rows), "g");
        data.map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        refused(vec![
            row(0),
            TableRow {
                features: vec![1.0],
                ..row(1)
            }
        ]),
        "dataset: item 1 has 1 features, those before have 2"
    );
    assert_eq!(
        refused(vec![
            TableRow {
                group: f64::NAN,
                ..row(0)
            },
            row(1)
        ]),
        "dataset: item 0 holds a number that is not finite"
    );
    assert!(refused(Vec::new()).contains("has no rows"));
}
