//! Tables as they are found: other separators, words, missing cells, large numbers, an index.

use rand::RngExt;

use super::*;

/// Rows as the file writes them, with what is between cells.
fn lines(header: &[&str], rows: &[Vec<String>], separator: &str) -> String {
    let mut text = header.join(separator) + "\n";
    for row in rows {
        text += &(row.join(separator) + "\n");
    }
    text
}

const HEADER: [&str; 5] = ["a", "b", "c", "g", "y"];

/// Three groups of different sizes, each with its own rule.
fn good(group: impl Fn(usize) -> String, class: impl Fn(bool) -> String) -> Vec<Vec<String>> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let row = |_| {
        let at = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2][random.random_range(0..12)];
        let [a, b, c] = [(); 3].map(|()| random.random_range(-1.0..1.0_f64));
        let value = [a, b, a * b][at];
        [
            a.to_string(),
            b.to_string(),
            c.to_string(),
            group(at),
            class(value > 0.0),
        ]
        .to_vec()
    };
    (0..400).map(row).collect()
}

fn numbered() -> Vec<Vec<String>> {
    good(|at| at.to_string(), |yes| u8::from(yes).to_string())
}

fn worded() -> Vec<Vec<String>> {
    let group = |at: usize| ["north", "south", "isle"][at].to_owned();
    good(group, |yes| if yes { "yes" } else { "no" }.to_owned())
}

/// What a run of the table is made of: the inputs and classes of its training rows in order, and those of each group
/// that are held out, the largest group first.
fn numbers(text: &str, options: &TableOptions) -> (Vec<f32>, Vec<i32>, Vec<Vec<f32>>) {
    let data = TableData::read(text.as_bytes(), "FILE", options).unwrap();
    let table = Table::new(&data, 5);
    let inputs = |rows: &[u32]| table.data.inputs(rows, &table.scales);
    let classes = table.parts.training.iter();
    let classes = classes.map(|&row| table.data.targets.classes()[row as usize]);
    let mut held_out: Vec<Vec<f32>> = table
        .parts
        .held_out
        .iter()
        .map(|rows| inputs(rows))
        .collect();
    held_out.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    (inputs(&table.parts.training), classes.collect(), held_out)
}

#[test]
fn separators_and_words_change_no_number() {
    let expected = numbers(&lines(&HEADER, &numbered(), ","), &usual());
    for separator in [";", "\t", " ; "] {
        assert_eq!(
            numbers(&lines(&HEADER, &numbered(), separator), &usual()),
            expected
        );
        assert_eq!(
            numbers(&lines(&HEADER, &worded(), separator), &usual()),
            expected
        );
    }
    assert_eq!(
        expected.1.len() + expected.2.iter().map(|rows| rows.len() / 3).sum::<usize>(),
        400
    );
    let table = Table::new(&read(&lines(&HEADER, &worded(), ";")).unwrap(), 5);
    assert_eq!(names(&table), ["g=isle", "g=north", "g=south"]);
}

#[test]
fn what_gives_the_label_away_is_refused() {
    let rows: Vec<Vec<String>> = (0..40)
        .map(|i| {
            [i, i % 7, i % 3, i / 20]
                .map(|cell| cell.to_string())
                .to_vec()
        })
        .collect();
    assert_eq!(
        refused(&lines(&["", "a", "g", "y"], &rows, ";")),
        "FILE: column 1 of 4 has no name; where pandas wrote it, write it with index=False"
    );
    assert_eq!(
        refused(&lines(&["y", "a", "g", "y"], &rows, "\t")),
        "FILE: two columns are named 'y': 1 and 4"
    );
    let same = TableData::read(
        &b"y,a\n0,1\n1,2\n"[..],
        "FILE",
        &TableOptions::classes("y", "y"),
    );
    let same = same.map(drop).unwrap_err().to_string();
    assert!(
        same.contains("the column 'y' is both predicted and the group"),
        "{same}"
    );
}

/// A constant that is added to a column changes nothing, though single precision can't hold the sum.
#[test]
fn columns_are_standardised_before_they_are_cast() {
    let text = |offset: i64| {
        let rows = (0..600).map(|i| {
            let seconds = i * 37 % 61;
            format!(
                "{},{},{}\n",
                offset + seconds,
                i % 2,
                i64::from(seconds > 30)
            )
        });
        format!("t,g,y\n{}", rows.collect::<String>())
    };
    let (plain, ..) = numbers(&text(0), &usual());
    let (late, ..) = numbers(&text(1_700_000_000), &usual());
    assert!(plain.iter().any(|value| value.abs() > 1.0));
    for (one, other) in plain.iter().zip(&late) {
        assert!((one - other).abs() < 1e-6, "{one} {other}");
    }
}

#[test]
fn identifiers_above_2_to_the_53_are_three_groups() {
    let rows = (0..400_u64).map(|i| format!("{},{},{}\n", i % 9, (1 << 53) + i % 3, i % 2));
    let data = read(&format!("a,g,y\n{}", rows.collect::<String>())).unwrap();
    assert_eq!(
        names(&Table::new(&data, 0)),
        [
            "g=9007199254740992",
            "g=9007199254740993",
            "g=9007199254740994"
        ]
    );
}

/// An input that says nothing in the training rows says nothing in the others.
#[test]
fn what_is_the_same_in_all_training_rows_is_zero() {
    // Every value of `a` but that of one row is 0.1, whose sum is not a multiple of it; the level `rare` and the missing
    // cell of `c` are in one row each.
    let row = |i: usize| {
        let a = if i == 7 { "1000000" } else { "0.1" };
        let b = if i == 7 { "rare" } else { "usual" };
        let c = if i == 7 { String::new() } else { i.to_string() };
        format!("{a},{b},{c},{},{}\n", i % 2, i / 2 % 2)
    };
    let text = format!("a,b,c,g,y\n{}", (0..40).map(row).collect::<String>());
    let data = read(&text).unwrap();
    let mut seen = [false; 2];
    for seed in 0..20 {
        let table = Table::new(&data, seed);
        let is_trained = table.parts.training.contains(&7);
        let inputs = table.data.inputs(&[7, 8], &table.scales);
        let [odd, other] = [&inputs[..5], &inputs[5..]];
        match is_trained {
            // a, rare, usual, c, c is missing.
            true => assert!(odd[0] > 1.0 && odd[1] == 1.0 && odd[4] == 1.0 && other[2] == 1.0),
            false => assert_eq!(
                [
                    odd[0], odd[1], odd[2], odd[4], other[0], other[1], other[2], other[4]
                ],
                [0.0; 8]
            ),
        }
        assert_eq!(odd[3], 0.0, "the mean of the training rows");
        seen[usize::from(is_trained)] = true;
    }
    assert_eq!(seen, [true; 2]);
}

#[test]
fn names_become_inputs_and_missing_cells_are_flagged() {
    let text = "colour;size;y;g\nred;1;0;a\nblue;NA;1;a\n;3;0;b\nred;5;1;b\n";
    let data = read(text).unwrap();
    assert_eq!(
        data.described(),
        [
            "4 rows; 'y' is predicted (2 classes), 'g' names 2 groups, and the other columns become 5 inputs",
            "colour: 2 levels, a column of zeros and ones each (blue, red); 1 missing cell is of no level, and a \
             column says which",
            "size: numbers; 1 missing cell became the mean, and a column says which",
        ]
    );
    assert!(data.notes().iter().all(|note| note.starts_with("FILE: ")));
    let scales = data.columns.scales(&[0, 1, 2, 3]);
    let deviation = (8.0_f64 / 3.0).sqrt();
    let scaled = |value: f64| ((value - 3.0) / deviation) as f32;
    let expected = [
        [0.0, 1.0, 0.0, scaled(1.0), 0.0],
        [1.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 0.0, 1.0, scaled(3.0), 0.0],
        [0.0, 1.0, 0.0, scaled(5.0), 0.0],
    ];
    assert_eq!(
        data.columns.inputs(&[0, 1, 2, 3], &scales),
        expected.concat()
    );

    let of = |options: TableOptions| {
        let data = TableData::read(text.as_bytes(), "FILE", &options);
        data.map(|data| data.columns.width)
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        of(usual().with_missing(Missing::Refuse)).unwrap_err(),
        "FILE, line 3, column 'size': 'NA' is a missing value, and those are refused (missing = refuse)"
    );
    assert_eq!(of(usual().without(["colour".to_owned()])), Ok(2));
    assert_eq!(of(usual().with_categorical(["size".to_owned()])), Ok(3 + 4));
    for (options, said) in [
        (
            usual().without(["shape".to_owned()]),
            "there is no column 'shape'",
        ),
        (
            usual().without(["g".to_owned()]),
            "ignore names the column 'g', which is the group",
        ),
        (
            usual().with_categorical(["y".to_owned()]),
            "categorical names the column 'y', which is what is predicted",
        ),
        (
            usual().with_levels(1),
            "levels = 1, but it is a whole number from 2 to 1000",
        ),
    ] {
        let error = of(options).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn levels_have_a_limit() {
    let rows = (0..60).map(|i| format!("w{},{},{}\n", i, i % 2, i / 2 % 2));
    let text = format!("a,g,y\n{}", rows.collect::<String>());
    let refused = refused(&text);
    assert!(
        refused.starts_with(
            "FILE, line 52, column 'a': 'w50' is one more than the 50 distinct values"
        ),
        "{refused}"
    );
    let data = TableData::read(text.as_bytes(), "FILE", &usual().with_levels(60)).unwrap();
    assert_eq!(data.columns.width, 60);
}

/// Every group's held-out rows have its classes in the same shares.
#[test]
fn the_split_is_stratified() {
    let class = |i: usize| usize::from(i.is_multiple_of(10));
    let rows = (0..400).map(|i| format!("{i},{},{}\n", i % 2 * 3 % 2, class(i / 2)));
    let data = read(&format!("a,g,y\n{}", rows.collect::<String>())).unwrap();
    for seed in 0..3 {
        let table = Table::new(&data, seed);
        for rows in &table.parts.held_out {
            let ones = rows.iter().filter(|&&row| class(row as usize / 2) == 1);
            assert_eq!((rows.len(), ones.count()), (50, 5));
        }
        let all: std::collections::HashSet<u32> = (table.parts.held_out.iter().flatten())
            .chain(&table.parts.training)
            .copied()
            .collect();
        assert_eq!(all.len(), 400);
        assert_eq!(table.parts.training.len(), 300);
    }
}

#[test]
fn numbers_are_predicted() {
    let rows = (0..80).map(|i| format!("{},{},{}\n", i % 9, i % 2, 1e6 + f64::from(i % 9)));
    let text = format!("a,g,price\n{}", rows.collect::<String>());
    let options = TableOptions::numbers("price", "g");
    let data = TableData::read(text.as_bytes(), "FILE", &options).unwrap();
    assert_eq!(data.predicted().column(), "price");
    let table = Table::new(&data, 0);
    let device = Device::flex();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = table.model(&mut random, &device);
    let drawn = table.draw(16, &mut random, &device).unwrap();
    let losses: Vec<f32> = table
        .losses(&model, &drawn.batch)
        .into_data()
        .try_to_vec()
        .unwrap();
    assert!(losses.len() == 16 && losses.iter().all(|&loss| loss >= 0.0));
    let scores = table.evaluate(&model, &device).unwrap();
    // By hand: the outputs against the standardised numbers.
    for (rows, score) in table.parts.held_out.iter().zip(&scores) {
        let outputs = model.forward(table.batch(rows, &device).features);
        let outputs: Vec<f32> = outputs.into_data().try_to_vec().unwrap();
        let training = table.parts.training.iter().map(|&row| f64::from(row % 9));
        let mean = training.clone().sum::<f64>() / table.parts.training.len() as f64;
        let variance = training.map(|price| (price - mean).powi(2)).sum::<f64>();
        let deviation = (variance / table.parts.training.len() as f64).sqrt();
        let off = outputs
            .iter()
            .zip(rows)
            .map(|(&output, &row)| f64::from(output) - (f64::from(row % 9) - mean) / deviation);
        let n = rows.len() as f64;
        let loss = off.clone().map(|off| off * off).sum::<f64>() / n;
        assert!((score.loss - loss).abs() < 1e-5, "{} {loss}", score.loss);
        let near = off.filter(|off| off.abs() <= 0.5).count() as f64 / n;
        assert_eq!(score.accuracy, near);
        assert_eq!(score.probability, None);
    }
    let chance = table.capabilities()[0].chance;
    // Of the numbers 0 to 8 those from 3 to 5 are within half a deviation (1.29) of the mean.
    assert!((0.2..0.5).contains(&chance), "{chance}");

    let wrong = |text: &str| {
        let data = TableData::read(text.as_bytes(), "FILE", &options);
        data.map(drop).unwrap_err().to_string()
    };
    for (text, said) in [
        (
            "a,g,price\n1,1,2\n1,1,dear\n",
            "line 3, column 'price': 'dear' is not a finite number",
        ),
        (
            "a,g,price\n1,1,2\n1,1,\n",
            "line 3, column 'price': '' is a missing value",
        ),
        (
            "a,g,price\n1,1,2\n1,1,2\n",
            "the numbers of the target column 'price' do not differ",
        ),
        (
            "a,g,price\n1,1,1e-300\n1,1,2e-300\n",
            "the numbers of the target column 'price' do not differ",
        ),
        (
            "a,g,price\n1,1,2\n1,1,-inf\n",
            "line 3, column 'price': '-inf' is not a finite number",
        ),
    ] {
        assert!(wrong(text).contains(said), "{}", wrong(text));
    }
}

#[test]
fn rows_are_told_by_their_cells() {
    let mut text = String::from("age,colour,small,y,g\n");
    for row in 0..8 {
        let age = if row == 3 { "" } else { "4.25" };
        text.push_str(&format!(
            "{age},{},1e-{},{},a\n",
            ["red", "blue"][row / 4],
            20 + row,
            row % 2
        ));
    }
    let table = Table::new(&read(&text).unwrap(), 0);
    let all: Vec<usize> = (0..table.parts.training.len()).collect();
    let batch = table.drawn(&all, &Device::flex()).batch;
    for (place, &row) in table.parts.training.iter().enumerate() {
        let age = if row == 3 { "?" } else { "4.25" };
        let colour = ["red", "blue"][row as usize / 4];
        let expected = format!(
            "row {}, y = {}: age {age}, colour {colour}, small 1e-{}",
            row + 1,
            row % 2,
            20 + row
        );
        assert_eq!(table.describe(&batch, place).unwrap(), expected);
    }
    assert_eq!(table.describe(&batch, all.len()), None);
    // Of a table that was in single precision, the numbers have its digits; of very many columns the first stand for all.
    let wine = red_wine(0);
    let batch = wine.batch(&[0], &Device::flex());
    let words = wine.describe(&batch, 0).unwrap();
    assert!(
        words.starts_with("row 1, good = 0: fixed acidity 7.4, volatile acidity 0.7, "),
        "{words}"
    );
    let names: Vec<String> = (0..2_000).map(|at| format!("c{at}")).collect();
    let mut wide = format!("{},y,g\n", names.join(","));
    for row in 0..4 {
        wide.push_str(&format!("{}{},a\n", "1,".repeat(2_000), row % 2));
    }
    let wide = Table::new(&read(&wide).unwrap(), 0);
    let words = wide
        .describe(&wide.batch(&[0], &Device::flex()), 0)
        .unwrap();
    let long = words.chars().count();
    assert!((201..260).contains(&long), "{long}");
}
