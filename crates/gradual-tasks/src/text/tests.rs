use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use burn::tensor::activation::log_softmax;
use gradual::train::TrainError;
use rand::SeedableRng;

use super::vocabulary::EDGE;
use super::*;

fn config() -> TextConfig {
    TextConfig {
        context: 16,
        width: 8,
        heads: 2,
        layers: 1,
        hidden: 8,
        held_out: 10,
    }
}

fn read_with(text: &str, tokens: &TextTokens, config: &TextConfig) -> Result<TextData, TextError> {
    TextData::read(text.as_bytes(), "FILE", tokens, config)
}

fn read(text: &str) -> Result<TextData, TextError> {
    read_with(text, &TextTokens::Characters, &config())
}

/// So many lines of either form, the groups of which are a, b, b, a, b, b, …
fn lines(count: usize, prompts: bool) -> String {
    let mut text = String::new();
    for at in 0..count {
        let group = if at % 3 == 0 { "a" } else { "b" };
        let content = match prompts {
            true => format!("\"prompt\":\"{at}\",\"target\":\"{}\"", at * 7 % 11),
            false => format!("\"text\":\"line {at}\""),
        };
        writeln!(text, "{{{content},\"group\":\"{group}\"}}").unwrap();
    }
    text
}

fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

#[test]
fn what_is_wrong_is_said_with_line_and_field() {
    let good = "{\"text\":\"one\"}\n";
    for (text, said) in [
        ("", "text FILE: has no lines; at least 2 are needed"),
        ("\n\n", "text FILE: has no lines"),
        (good, "text FILE: has 1 line"),
        (
            "{\"text\":\"one\"}\n\n{\"text\":\"two\"}\n",
            "line 2: is empty",
        ),
        ("{\"text\":\"one\"}\n[1]\n", "line 2: is no JSON object"),
        (
            "{\"text\":\"one\"}\n{\"text\":\"two\"\n",
            "line 2: is no JSON object: EOF",
        ),
        (
            "{\"text\":\"one\"} {}\n",
            "line 1: is no JSON object: trailing characters (column 16)",
        ),
        ("{\"text\":\"\\ud800\"}\n", "line 1: is no JSON object"),
        (
            "{\"text\":1}\n",
            "line 1, field \"text\": is a number, but it is a text",
        ),
        ("{\"text\":\"\"}\n", "line 1, field \"text\": is empty"),
        (
            "{\"text\":\"a\",\"text\":\"b\"}\n",
            "line 1, field \"text\": is there twice",
        ),
        (
            "{\"words\":\"a\"}\n",
            "line 1: has neither \"prompt\" and \"target\" nor \"text\"",
        ),
        (
            "{\"prompt\":\"a\"}\n",
            "line 1, field \"target\": is missing",
        ),
        (
            "{\"target\":\"a\"}\n",
            "line 1, field \"prompt\": is missing",
        ),
        (
            "{\"prompt\":\"a\",\"target\":\"\"}\n",
            "field \"target\": is empty",
        ),
        (
            "{\"prompt\":null,\"target\":\"b\"}\n",
            "field \"prompt\": is null",
        ),
        (
            "{\"text\":\"a\",\"target\":\"b\"}\n",
            "field \"text\": stands beside",
        ),
        (
            "{\"text\":\"a\",\"group\":\"\"}\n",
            "field \"group\": is empty",
        ),
        (
            "{\"text\":\"a\",\"group\":1.5}\n",
            "field \"group\": is the number 1.5, but it is a text or a whole number of up to 64 bits",
        ),
        (
            "{\"text\":\"a\",\"group\":[]}\n",
            "field \"group\": is a list",
        ),
        (
            "{\"text\":\"a\"}\n{\"prompt\":\"a\",\"target\":\"b\"}\n",
            "line 2: has \"prompt\" and \"target\", but line 1 has \"text\"",
        ),
        (
            "{\"prompt\":\"a\",\"target\":\"0123456789abcdef\"}\n",
            "line 1, field \"target\": has 16 tokens, and the context holds 16, one of which begins it; give it a context \
             of 17",
        ),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(
            error.contains(said) && error.starts_with("text FILE"),
            "{text}: {error}"
        );
    }
    let bytes = |bytes: &[u8]| {
        let read = TextData::read(bytes, "FILE", &TextTokens::Bytes, &config());
        read.unwrap_err().to_string()
    };
    assert!(bytes(b"{\"text\":\"a\xff\"}\n").contains("line 1: is not UTF-8 text from byte 11 on"));
    assert!(bytes(b"\x1f\x8b\x08").contains("is compressed by gzip"));
    assert!(bytes(b"\xff\xfe{\0").contains("NUL"));
    assert!(
        bytes(&[b' '; (16 << 20) + 2]).contains("line 1: has more than 16777216 bytes")
            || bytes(&[b' '; (16 << 20) + 2]).contains("no lines")
    );
    let long = format!("{{\"text\":\"{}\"}}\n", "x".repeat(16 << 20));
    assert!(bytes(long.as_bytes()).contains("has more than 16777216 bytes"));
}

/// The index is an index: a slow reader that holds the whole text says the same of every line.
#[test]
fn every_line_is_found_again() {
    let odd = [
        "{\"text\":\"plain\"}",
        " {\"text\" : \"spaces\" , \"group\":\"g\"} ",
        "{\"text\":\"umläut 漢 😀 \\u00e9 \\n \\\" \\\\\"}\r",
        "{\"more\":{\"text\":[1]},\"text\":\"nested\",\"group\":-3}",
        "{\"group\":null,\"te\\u0078t\":\"escaped key\"}",
    ];
    for (mark, end) in [("", "\n"), ("\u{feff}", ""), ("", "\n\n \n"), ("", "\r\n")] {
        let mut text = String::from(mark);
        for at in 0..200 {
            text += odd[at * 7 % odd.len()];
            text.push('\n');
        }
        text.truncate(text.len() - 1);
        text += end;
        let data = read(&text).unwrap();
        let plain: Vec<&str> = text
            .trim_start_matches('\u{feff}')
            .trim_end()
            .lines()
            .collect();
        assert_eq!(data.num_lines(), plain.len());
        for (number, line) in plain.iter().enumerate() {
            let value: serde_json::Value = serde_json::from_str(line.trim()).unwrap();
            let found = data.lines.line(number as u32).unwrap();
            assert_eq!(Some(found.text.as_str()), value["text"].as_str(), "{line}");
            let group = match &value["group"] {
                serde_json::Value::String(group) => Some(group.clone()),
                serde_json::Value::Number(group) => Some(group.to_string()),
                _ => None,
            };
            assert_eq!(found.group, group, "{line}");
        }
        let counts = |name: &str| {
            let found = data.lines.groups.iter().find(|(other, _)| other == name);
            found.unwrap().1.len()
        };
        assert_eq!(
            [counts("g"), counts("-3"), counts("no group")],
            [40, 40, 120]
        );
        let digest = <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes());
        assert_eq!(data.sha256(), format!("{digest:x}"));
        assert!(
            data.notes()
                .iter()
                .any(|note| note.contains("120 lines without a \"group\""))
        );
        assert!(
            data.notes()
                .iter()
                .any(|note| note.contains("no meaning here: more"))
        );
    }
}

#[test]
fn a_part_of_every_group_is_held_out() {
    let text = lines(90, false) + "{\"text\":\"x\",\"group\":\"lone\"}\n";
    let data = read(&text).unwrap();
    let task = Text::new(&data, 3);
    let names: Vec<&str> = task
        .capabilities()
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    assert_eq!(names, ["a (and lone, a single line)", "b"]);
    let split = &task.split;
    assert_eq!(
        split.held_out.iter().map(Vec::len).collect::<Vec<_>>(),
        [7, 10]
    );
    let held: BTreeSet<u32> = split.held_out.iter().flatten().copied().collect();
    let trained: BTreeSet<u32> = split.training.iter().copied().collect();
    assert!(held.is_disjoint(&trained));
    assert_eq!((held.len() + trained.len(), split.training.len()), (91, 74));
    let group = |line: u32| {
        data.lines
            .groups
            .iter()
            .position(|(_, lines)| lines.contains(&line))
    };
    for (at, members) in split.members.iter().enumerate() {
        let own = split.training[members.clone()].iter();
        assert!(
            own.chain(&split.held_out[at])
                .all(|&line| group(line) == Some(at))
        );
    }
    let sum: f64 = task.capabilities().iter().map(|each| each.frequency).sum();
    assert!((sum - 1.0).abs() < 1e-12);
    assert_eq!(Text::new(&data, 3).split, task.split);
    assert_ne!(Text::new(&data, 4).split, task.split);
}

#[test]
fn single_lines_are_a_group_together() {
    let text = "{\"text\":\"a\",\"group\":1}\n{\"text\":\"b\",\"group\":2}\n{\"text\":\"c\",\"group\":3}\n\
                {\"text\":\"d\",\"group\":3}\n";
    let data = read(text).unwrap();
    let names: Vec<&str> = data
        .lines
        .groups
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["3", "other (2 groups of a single line)"]);
    assert!(data.has_groups());
    assert!(
        data.notes()[1].contains("2 of 3 groups have a single line; does \"group\" name lines")
    );
    assert_eq!(
        data.notes()[0],
        "FILE: 4 lines with \"text\", of which all is learned; 2 groups; 6 tokens in the vocabulary"
    );
    assert!(
        data.notes()[2].contains("fewer than 25 held-out lines are measured roughly: 3 (1)"),
        "{:?}",
        data.notes()
    );
    let all = read("{\"text\":\"a\"}\n{\"text\":\"b\"}\n").unwrap();
    assert!(!all.has_groups());
    assert!(all.notes()[0].contains("; no groups are named, so groups have to be found; "));
    assert_eq!(Text::new(&all, 0).capabilities()[0].name, "all");
}

#[test]
fn long_lines_are_cut_to_the_context() {
    let data =
        read("{\"text\":\"0123456789abcdefghijklmnopqrstuvwxyz\"}\n{\"text\":\"ab\"}\n").unwrap();
    assert!(data.notes()[1].contains("1 line of 2 is longer than the context of 16 tokens"));
    let task = Text {
        split: Arc::new(Split {
            training: vec![0, 1],
            members: std::iter::once(0..2).collect(),
            held_out: vec![vec![0]],
        }),
        ..Text::new(&data, 0)
    };
    let of = |line: u32, random: Option<&mut ChaCha8Rng>| {
        let encoded = task.encoded(&[line], random).unwrap().pop().unwrap();
        (
            encoded.text(&data.lines.vocabulary),
            encoded.tokens.len(),
            encoded.learned,
        )
    };
    assert_eq!(of(0, None), (String::from("0123456789abcdef"), 17, 1));
    assert_eq!(of(1, None), (String::from("ab"), 4, 1));
    let mut random = random();
    let windows: BTreeSet<String> = (0..200).map(|_| of(0, Some(&mut random)).0).collect();
    // 36 characters and two edges, of which a window holds 17: 22 of them.
    assert_eq!(windows.len(), 22);
    assert!(windows.contains("klmnopqrstuvwxyz") && windows.contains("0123456789abcdef"));

    let data = read(
        "{\"prompt\":\"0123456789abc\",\"target\":\"xyz\"}\n{\"prompt\":\"\",\"target\":\"0\"}\n",
    )
    .unwrap();
    assert!(data.notes()[1].contains("the beginning of such a prompt is cut off"));
    let task = Text::new(&data, 0);
    let mut both = task.encoded(&[0, 1], None).unwrap();
    let (short, long) = (both.pop().unwrap(), both.pop().unwrap());
    assert_eq!(
        short.tokens,
        [EDGE, EDGE, 3, EDGE].map(|token| if token == 3 { short.tokens[2] } else { token })
    );
    assert_eq!(
        (long.length(), long.text(&data.lines.vocabulary)),
        (16, String::from("123456789abc → xyz"))
    );
    assert_eq!(
        long.tokens.len() - long.learned,
        4,
        "the target and its end"
    );
}

#[test]
fn characters_bytes_and_tokenizers_go_there_and_back() {
    let words = "{\"version\":\"1.0\",\"truncation\":{\"direction\":\"Right\",\"max_length\":1,\"strategy\":\"LongestFirst\",\
                 \"stride\":0},\"padding\":null,\"added_tokens\":[],\"normalizer\":null,\
                 \"pre_tokenizer\":{\"type\":\"Whitespace\"},\"post_processor\":null,\"decoder\":null,\
                 \"model\":{\"type\":\"WordLevel\",\"vocab\":{\"[UNK]\":0,\"red\":1,\"green\":2},\"unk_token\":\"[UNK]\"}}";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    fs::write(&path, words).unwrap();
    let text = "{\"text\":\"green red blue\"}\n{\"text\":\"red é\"}\n";
    for (tokens, first, size, shown, named) in [
        (
            TextTokens::Characters,
            16,
            10 + 2,
            "green red blue",
            "characters",
        ),
        (TextTokens::Bytes, 16, 257, "green red blue", "bytes"),
        (
            TextTokens::File(path.clone()),
            5,
            4,
            "green red [UNK]",
            "sha256:",
        ),
    ] {
        let data = read_with(text, &tokens, &config()).unwrap();
        let task = Text::new(&data, 0);
        let encoded = task.encoded(&[0], None).unwrap().pop().unwrap();
        assert_eq!(encoded.tokens.len(), first, "{tokens:?}");
        assert_eq!(data.lines.vocabulary.size(), size, "{tokens:?}");
        assert_eq!(encoded.text(&data.lines.vocabulary), shown);
        assert!(data.tokens().starts_with(named));
        assert!(encoded.tokens.iter().all(|&token| (token as usize) < size));
    }
    fs::write(&path, "{}").unwrap();
    let said = read_with(text, &TextTokens::File(path), &config())
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("tokenizer.json: is no file of the crate tokenizers"),
        "{said}"
    );
    let said = read_with(text, &TextTokens::File("no.json".into()), &config()).unwrap_err();
    assert!(said.to_string().contains("no.json"), "{said}");
}

#[test]
fn tokenizers_that_take_too_much_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    let tokens = TextTokens::File(path.clone());
    let opened = |file: &str| {
        fs::write(&path, file).unwrap();
        read_with("{\"text\":\"a b\"}\n{\"text\":\"b\"}\n", &tokens, &config())
    };
    let file = |normalizer: &str, largest: u32| {
        format!(
            "{{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":{normalizer},\"pre_tokenizer\":{{\"type\":\"Whitespace\"}},\
             \"model\":{{\"type\":\"WordLevel\",\"vocab\":{{\"[UNK]\":0,\"a\":{largest}}},\"unk_token\":\"[UNK]\"}}}}"
        )
    };
    let replace = |times: usize| {
        let content = "x".repeat(times);
        format!(
            "{{\"type\":\"Replace\",\"pattern\":{{\"String\":\"b\"}},\"content\":\"{content}\"}}"
        )
    };
    opened(&file(&replace(20), 1)).unwrap();
    for (file, said) in [
        (
            file("null", 1_000_000),
            "a token of number 1000000; 999999 is the largest",
        ),
        (
            file(&replace(1000), 1),
            "its normalizer can make a text 1000 times as long; 100 times is the most",
        ),
        (
            String::from("{}"),
            "expected characters, bytes, or the path of a tokenizer.json",
        ),
    ] {
        let error = opened(&file).unwrap_err().to_string();
        assert!(
            error.contains(said) && error.contains("tokenizer.json"),
            "{error}"
        );
    }
    // Rules that can be read and that no text survives, and maps that the library would make gigabytes of room for.
    let with =
        |part: &str, rule: &str| file("null", 1).replacen("{", &format!("{{\"{part}\":{rule},"), 1);
    let map = |map: &str| {
        file(
            &format!("{{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"{map}\"}}"),
            1,
        )
    };
    let untyped = replace(30).replace("\"type\":\"Replace\",", "");
    for (file, said) in [
        (
            file("null", 1).replace(
                "{\"type\":\"Whitespace\"}",
                "{\"type\":\"FixedLength\",\"length\":0}",
            ),
            "can't be used: the crate tokenizers panicked",
        ),
        (
            with(
                "decoder",
                "{\"type\":\"Strip\",\"content\":\"a\",\"start\":9,\"stop\":9}",
            ),
            "can't be used: ",
        ),
        (
            map("/////wAAAAA="),
            "does not begin with the length of what it holds",
        ),
        (map("BAAAAP////8="), "tokenizer.json: "),
        (
            file(
                &format!("{{\"type\":\"Sequence\",\"normalizers\":[{untyped},{untyped}]}}"),
                1,
            ),
            "a text 900 times as long",
        ),
    ] {
        let error = opened(&file).unwrap_err().to_string();
        assert!(error.contains(said), "{file}: {error}");
    }
    let nope = TextTokens::File("nope".into());
    let error = read_with("{\"text\":\"a\"}\n", &nope, &config()).unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with("tokenizer nope: ")
            && said.ends_with("expected characters, bytes, or the path of a tokenizer.json"),
        "{said}"
    );
}

#[test]
fn rare_characters_are_one_token() {
    let mut text = String::new();
    for letter in ('\u{4e00}'..).take(1_200) {
        writeln!(text, "{{\"text\":\"{letter}{letter}a\"}}").unwrap();
    }
    writeln!(text, "{{\"text\":\"\u{4e00}\"}}").unwrap();
    let data = read(&text).unwrap();
    let vocabulary = &data.lines.vocabulary;
    assert_eq!(vocabulary.size(), 1_002);
    // With `a` the first 999 of equals have tokens of their own.
    assert!(
        data.notes()[1].contains("402 of 3601 characters are none of the 1000 most frequent ones")
    );
    let shown = |line| Text::new(&data, 0).encoded(&[line], None).unwrap()[0].text(vocabulary);
    assert_eq!(
        (shown(0).as_str(), shown(1_100).as_str()),
        ("\u{4e00}\u{4e00}a", "\u{fffd}\u{fffd}a")
    );
}

/// Losses and scores of a fresh model, by the plain formulas, one line at a time.
#[test]
fn losses_and_scores_are_those_of_the_plain_formulas() {
    for prompts in [true, false] {
        let data = read(&lines(12, prompts)).unwrap();
        let task = Text::new(&data, 1);
        let device = Device::flex();
        let model = task.model(&mut random(), &device);
        let drawn = task.pick(&[3, 0, 5, 1], &device).unwrap();
        let losses = task
            .losses(&model, &drawn.batch)
            .into_data()
            .try_to_vec::<f32>()
            .unwrap();
        let plain = |encoded: &Encoded| {
            let t = encoded.length();
            let alone = TextBatch::new(vec![encoded.clone()], &device);
            let logits = log_softmax(model.forward(alone.tokens), 2);
            let logits = logits.into_data().try_to_vec::<f32>().unwrap();
            let v = logits.len() / t;
            let (mut loss, mut right, mut probability) = (0.0, 0, 0.0);
            for at in encoded.learned..encoded.tokens.len() {
                let row = &logits[(at - 1) * v..at * v];
                let target = row[encoded.tokens[at] as usize];
                loss -= f64::from(target);
                probability += f64::from(target).exp();
                right += u32::from(row.iter().all(|&other| other <= target));
            }
            let count = (encoded.tokens.len() - encoded.learned) as f64;
            let accuracy = match prompts {
                true => f64::from(u8::from(f64::from(right) == count)),
                false => f64::from(right) / count,
            };
            [accuracy, loss / count, probability / count]
        };
        for (line, loss) in drawn.batch.lines.iter().zip(losses) {
            assert!((plain(line)[1] - f64::from(loss)).abs() < 1e-5);
        }
        let scores = task.evaluate(&model, &device).unwrap();
        assert_eq!(scores.len(), 2);
        for (score, lines) in scores.iter().zip(&task.split.held_out) {
            let each = task.encoded(lines, None).unwrap();
            let mean = |part: usize| {
                each.iter().map(|line| plain(line)[part]).sum::<f64>() / each.len() as f64
            };
            let found = [score.accuracy, score.loss, score.probability.unwrap()];
            for (part, found) in found.into_iter().enumerate() {
                assert!(
                    (mean(part) - found).abs() < 1e-5,
                    "{part}: {} and {found}",
                    mean(part)
                );
            }
        }
        let words = task.describe(&drawn.batch, 0).unwrap();
        assert_eq!(words.contains(" → "), prompts, "{words}");
        assert_eq!(task.describe(&drawn.batch, 4), None);
    }
}

#[test]
fn draws_are_of_the_group_that_was_asked_for() {
    let data = read(&lines(60, true)).unwrap();
    let task = Text::new(&data, 0);
    let device = Device::flex();
    let drawn = task.draw_of(&[1, 0, 1], &mut random(), &device).unwrap();
    assert_eq!(drawn.labels, [Some(1), Some(0), Some(1)]);
    let drawn = task.draw(400, &mut random(), &device).unwrap();
    let share = drawn
        .labels
        .iter()
        .filter(|label| **label == Some(0))
        .count() as f64
        / 400.0;
    assert!(
        (share - task.capabilities()[0].frequency).abs() < 0.08,
        "{share}"
    );
    let again = task.draw(400, &mut random(), &device).unwrap();
    assert_eq!(again.batch.lines, drawn.batch.lines);
}

#[test]
fn a_file_that_changes_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines.jsonl");
    fs::write(&path, lines(60, false)).unwrap();
    let data = TextData::open(&path, &TextTokens::Bytes, &config()).unwrap();
    let task = Text::new(&data, 0);
    let device = Device::flex();
    let model = task.model(&mut random(), &device);
    task.evaluate(&model, &device).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all(b"{\"text\":\"li#").unwrap();
    file.set_len(20).unwrap();
    let said = task.evaluate(&model, &device).unwrap_err().to_string();
    assert!(
        said.contains("lines.jsonl: has changed since the run began"),
        "{said}"
    );
    for examples in [8, 3] {
        let error = task.draw(examples, &mut random(), &device).unwrap_err();
        assert!(matches!(error, TrainError::Data(_)));
        assert!(error.to_string().contains("lines.jsonl: has changed"));
    }

    let missing = TextData::open(Path::new("/no/such.jsonl"), &TextTokens::Bytes, &config());
    assert!(missing.unwrap_err().to_string().contains("/no/such.jsonl"));
    let folder = TextData::open(folder.path(), &TextTokens::Bytes, &config());
    assert!(folder.unwrap_err().to_string().contains("is a directory"));
}

#[test]
fn settings_that_make_no_sense_are_named() {
    type Change = dyn Fn(&mut TextConfig);
    let refused = |change: &Change| {
        let mut changed = config();
        change(&mut changed);
        read_with(&lines(9, false), &TextTokens::Bytes, &changed)
            .unwrap_err()
            .to_string()
    };
    let cases: [(&str, &Change); 8] = [
        ("context = 1, but", &|config| config.context = 1),
        ("width = 0, but", &|config| config.width = 0),
        ("heads = 3, but it has to divide width = 8", &|config| {
            config.heads = 3
        }),
        ("layers = 65, but", &|config| config.layers = 65),
        ("hidden = 0, but", &|config| config.hidden = 0),
        ("held_out = 0, but", &|config| config.held_out = 0),
        ("width = 4096, but with layers = 64", &|config| {
            (config.width, config.layers) = (4_096, 64);
        }),
        ("context = 8192, but with", &|config| {
            (config.context, config.width, config.heads) = (8_192, 64, 64);
        }),
    ];
    for (said, change) in cases {
        let error = refused(change);
        assert!(error.starts_with(said), "{error}");
    }
}

/// Lines without a group are no part of a group that happens to be called so, and long names are cut and told apart.
#[test]
fn groups_of_odd_names_stay_apart() {
    let long = "ü".repeat(500);
    let line = |group: &str| format!("{{\"text\":\"abc\",\"group\":\"{group}\"}}\n");
    let mut lines = String::new();
    for _ in 0..8 {
        lines += &line("no group");
        lines += "{\"text\":\"abd\"}\n";
        lines += &line(&format!("{long}1{long}"));
        lines += &line(&format!("{long}2{long}"));
    }
    let data = read(&lines).unwrap();
    let task = Text::new(&data, 0);
    let names: Vec<&str> = task
        .capabilities()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names[..2], ["no group", "no group (lines that name none)"]);
    assert_eq!(names.len(), 4);
    assert!(
        names[2].ends_with("#1") && names[3].ends_with("#2"),
        "{names:?}"
    );
    assert!(
        names.iter().all(|name| name.chars().count() < 70),
        "{names:?}"
    );
    let counts: Vec<usize> = task
        .split
        .members
        .iter()
        .map(|members| members.len())
        .collect();
    assert_eq!(counts, [6; 4]);
    let note =
        "8 lines without a \"group\" are a group of their own, 'no group (lines that name none)'";
    assert!(
        data.notes().iter().any(|one| one.contains(note)),
        "{:?}",
        data.notes()
    );
}

/// Names that are made of others are no group's own.
#[test]
fn groups_of_single_lines_are_told_from_groups_of_such_a_name() {
    let line = |group: &str| format!("{{\"text\":\"ab\",\"group\":\"{group}\"}}\n");
    let taken = "other (2 groups of a single line)";
    let text: String = ["g", "g", taken, taken, "x", "y"].map(line).concat();
    let task = Text::new(&read(&text).unwrap(), 3);
    let names: Vec<&str> = task
        .capabilities()
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    assert_eq!(names.len(), 3);
    assert_ne!(names[1], names[2], "{names:?}");
    let sum: f64 = task.capabilities().iter().map(|each| each.frequency).sum();
    assert!((sum - 1.0).abs() < 1e-12);
}

#[test]
fn groups_that_look_the_same_are_told() {
    let line = |group: &str| format!("{{\"text\":\"ab\",\"group\":\"{group}\"}}\n");
    for (other, said) in [
        (
            "caf\u{65}\u{301}",
            "in two forms of Unicode, which are two groups",
        ),
        (
            "caf\u{e9} ",
            "with other blanks around it, which are two groups",
        ),
    ] {
        let text: String = ["caf\u{e9}", "caf\u{e9}", other, other].map(line).concat();
        let data = read(&text).unwrap();
        assert!(
            data.notes().iter().any(|note| note.contains(said)),
            "{:?}",
            data.notes()
        );
    }
    let text: String = ["a", "a", "b", "b"].map(line).concat();
    assert!(
        !read(&text)
            .unwrap()
            .notes()
            .iter()
            .any(|note| note.contains("there twice"))
    );
}
