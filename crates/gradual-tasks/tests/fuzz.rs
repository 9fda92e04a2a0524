//! Tables, images and lines of text that something has changed.

use gradual::train::Task;
use gradual_fuzz::Mutated;
use gradual_tasks::{
    ImageData, ImageOptions, Table, TableData, TableOptions, Text, TextConfig, TextData, TextTokens,
};

/// Tables that are right, and such as broke a reader once.
const SEEDS: [&[u8]; 18] = [
    b"y;g;a;colour\n0;1;2;red\n1;1;;blue\n0;2;2.5;\n1;2;-3e2;red\n",
    b"y\tg\ta\nyes\tnorth\t2\nno\tnorth\t3\n",
    b"y;g;a\n0;1;1,5\n1;1;2,5\n",
    b"y,g,a,Unnamed: 0\n0,1,NA,0\n1,1,3,1\n",
    b"y,g,a\n0,1,2\n1,1,3\n0,2,2.5\n1,2,-3e2\n",
    b"\xef\xbb\xbfy,g,a\r\n0,1,2\r\n1,1,3\r\n",
    b"a,y,b,g\n0.5,0,1,-1\n0.25,1,1,-1\n0,0,1,7\n1,1,1,8\n",
    b"y;g;a\n0;1;2\n",
    b"y\tg\ta\n0\t1\t2\n",
    b",y,g,a\n0,0,1,2\n1,1,1,3\n",
    b"y,g,a,a\n0,1,2,3\n1,1,2,3\n",
    b"y,g,a\n0,9007199254740993,2\n1,9007199254740992,3\n",
    b"y,g,a\n0,1e-400,2\n1,0,3\n",
    b"y,g,a\n\"0\",\"1\",\"2\"\n1,1,\"3\n",
    b"y,g,a\n0,red,2\n1,red,3\n",
    b"y,g,a\n\n\n0,1,2\n\n1,1,3",
    b"\xff\xfey\0,\0g\0\n\0",
    b"\x1f\x8b\x08\0\0\0\0\0",
];

const WORDS: [&str; 15] = [
    "NA",
    "red",
    "y;g;a\n",
    ",",
    "\"",
    "\n",
    "y",
    "g",
    "y,g,a\n",
    "0,1,2\n1,1,3\n",
    "1e400",
    "+01.0e0",
    "-.0",
    ";",
    "\t",
];

/// A table is read and can be drawn from, or is refused by its name with a short message on one line.
#[test]
fn tables_are_read_or_refused() {
    bolero::check!()
        .with_generator(Mutated::new(SEEDS).with_words(WORDS))
        .for_each(|input: &Vec<u8>| {
            match TableData::read(input.as_slice(), "FILE", &TableOptions::classes("y", "g")) {
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.starts_with("FILE"), "{said}");
                    assert!(said.chars().count() < 2_000, "{said}");
                    assert!(!said.chars().any(char::is_control), "{said:?}");
                }
                Ok(data) => {
                    let table = Table::new(&data, 0);
                    let frequencies = table.capabilities().iter().map(|each| each.frequency);
                    assert!((frequencies.sum::<f64>() - 1.0).abs() < 1e-9);
                    let names: std::collections::HashSet<_> =
                        table.capabilities().iter().map(|each| &each.name).collect();
                    assert_eq!(names.len(), table.capabilities().len());
                    assert!(table.items().is_some_and(|rows| rows > 0));
                    assert_eq!(data.sha256().len(), 64);
                }
            }
        });
}

/// A table whose numbers are predicted is read and can be drawn from, or is refused by its name.
#[test]
fn tables_of_targets_are_read_or_refused() {
    let options = TableOptions::numbers("y", "g").with_levels(3);
    bolero::check!()
        .with_generator(Mutated::new(SEEDS).with_words(WORDS))
        .for_each(
            |input: &Vec<u8>| match TableData::read(input.as_slice(), "FILE", &options) {
                Err(error) => assert!(error.to_string().starts_with("FILE"), "{error}"),
                Ok(data) => {
                    let table = Table::new(&data, 0);
                    let chance = table.capabilities()[0].chance;
                    assert!((0.0..1.0).contains(&chance), "{chance}");
                }
            },
        );
}

/// The head of an IDX file of 4 × 8 × 8 bytes, one of 4 labels, and one that is compressed.
const IDX: [&[u8]; 3] = [
    b"\0\0\x08\x03\0\0\0\x04\0\0\0\x08\0\0\0\x08",
    b"\0\0\x08\x01\0\0\0\x04\0\x01\0\x01",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x63\x60\xe0\x60\x06",
];

/// IDX files of images and of labels are read, or refused by the name of one of them with a short message.
#[test]
fn idx_files_are_read_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let images = folder.path().join("images-idx3");
    let labels = folder.path().join("labels-idx1");
    let place = folder.path().display().to_string();
    let whole: Vec<u8> = IDX[0]
        .iter()
        .copied()
        .chain((0..256).map(|at| at as u8))
        .collect();
    let seeds = [&whole[..], IDX[0], IDX[1], IDX[2]];
    bolero::check!()
        .with_generator(Mutated::new(seeds))
        .for_each(|input: &Vec<u8>| {
            for (one, other) in [
                (input.as_slice(), IDX[1]),
                (whole.as_slice(), input.as_slice()),
            ] {
                std::fs::write(&images, one).expect("written");
                std::fs::write(&labels, other).expect("written");
                match ImageData::open(&images, &ImageOptions::default()) {
                    Err(error) => {
                        let said = error.to_string();
                        assert!(
                            said.starts_with(&place) || said.starts_with("size"),
                            "{said}"
                        );
                        assert!(said.chars().count() < 2_000, "{said}");
                        assert!(!said.chars().any(char::is_control), "{said:?}");
                    }
                    Ok(data) => assert!(data.classes().len() > 1),
                }
            }
        });
}

/// Lines that are right, and such as broke a reader once.
const LINES: [&[u8]; 8] = [
    b"{\"text\":\"one\"}\n{\"text\":\"two\"}\n{\"text\":\"three\"}",
    b"{\"prompt\":\"1+1\",\"target\":\"2\",\"group\":\"add\"}\n{\"prompt\":\"2-1\",\"target\":\"1\",\"group\":2}\n",
    b"\xef\xbb\xbf{\"text\":\"a\",\"group\":null}\r\n{\"text\":\"b\",\"group\":\"g\"}\r\n\r\n",
    b"{\"text\":\"\\ud83d\\ude00 \\u0000\"}\n{\"text\":\"\\ud800\"}\n",
    b"{\"text\":\"a\",\"text\":\"b\"}\n",
    b"{\"te\\u0078t\":\"a\"}\n\n{\"text\":[[[[{}]]]]}\n",
    b"[\n{\"text\":\"a\"}\n]",
    b"\x1f\x8b\x08\0",
];

const PIECES: [&str; 12] = [
    "{\"text\":\"a\"}\n",
    "\"group\":",
    "\"prompt\":\"",
    "\"target\":\"",
    "\n",
    "\r\n",
    "\\u",
    "null",
    "{",
    "}",
    ",",
    "1e999",
];

/// Lines are read and can be drawn from, or are refused by the file's name with a short message on one line.
#[test]
fn lines_are_read_or_refused() {
    let config = TextConfig {
        context: 8,
        ..TextConfig::default()
    };
    bolero::check!()
        .with_generator(Mutated::new(LINES).with_words(PIECES))
        .for_each(|input: &Vec<u8>| {
            match TextData::read(input.as_slice(), "FILE", &TextTokens::Characters, &config) {
                Err(error) => {
                    let said = error.to_string();
                    assert!(said.starts_with("text FILE"), "{said}");
                    assert!(said.chars().count() < 2_000, "{said}");
                    assert!(!said.chars().any(char::is_control), "{said:?}");
                }
                Ok(data) => {
                    let task = Text::new(&data, 0);
                    let frequencies = task.capabilities().iter().map(|each| each.frequency);
                    assert!((frequencies.sum::<f64>() - 1.0).abs() < 1e-9);
                    let items: Vec<usize> = (0..task.items().unwrap_or_default()).collect();
                    assert!(!items.is_empty() && items.len() < data.num_lines());
                    let drawn = task.pick(&items, &burn::tensor::Device::flex()).unwrap();
                    assert_eq!(drawn.labels.len(), items.len());
                    for at in items {
                        assert!(task.describe(&drawn.batch, at).is_some());
                    }
                    for note in data.notes() {
                        assert!(!note.chars().any(char::is_control), "{note:?}");
                    }
                }
            }
        });
}
