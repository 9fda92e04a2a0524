//! `gradual group` and `gradual coefficients` on files.

mod common;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{bf16, f16};
use common::{gradients, gradual, json, losses, npy, printed, refused};
use ndarray::{Array2, Axis, ShapeBuilder as _, arr1};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use tempfile::tempdir;

/// The groups of an answer as sets of examples, in order.
fn members(answer: &Value) -> Vec<Value> {
    let groups = answer["groups"].as_array().unwrap();
    let mut members: Vec<Value> = groups.iter().map(|one| one["members"].clone()).collect();
    members.sort_by_key(ToString::to_string);
    members
}

fn bytes<T: Copy, const N: usize>(
    values: impl IntoIterator<Item = T>,
    of: fn(T) -> [u8; N],
) -> Vec<u8> {
    values.into_iter().flat_map(of).collect()
}

#[test]
fn every_form_of_the_same_gradients_gives_the_same_groups() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (rows, labels) = gradients();
    let gram = rows.dot(&rows.t());
    let single = rows.mapv(|each| each as f32);
    npy(at("g.npy"), &rows);
    npy(at("single.npy"), &single);
    let mut fortran = Array2::<f64>::zeros((12, 5).f());
    fortran.assign(&rows);
    npy(at("fortran.npy"), &fortran);
    npy(at("k.npy"), &gram);
    npy(at("labels.npy"), &arr1(&labels));
    // Per parameter: the first three columns as a vector, the others as a matrix.
    let [first, second] = [
        rows.select(Axis(1), &[0, 1, 2]),
        rows.select(Axis(1), &[3, 4]),
    ]
    .map(|part| bytes(part.iter().copied(), f64::to_le_bytes));
    let gram_bytes = bytes(gram.iter().map(|&each| each as f32), f32::to_le_bytes);
    let parameters = HashMap::from([
        (
            "a.weight",
            TensorView::new(Dtype::F64, vec![12, 3], &first).unwrap(),
        ),
        (
            "b.weight",
            TensorView::new(Dtype::F64, vec![12, 2, 1], &second).unwrap(),
        ),
    ]);
    safetensors::serialize_to_file(parameters, None, &at("g.safetensors")).unwrap();
    let several = HashMap::from([
        (
            "gram",
            TensorView::new(Dtype::F32, vec![12, 12], &gram_bytes).unwrap(),
        ),
        (
            "other",
            TensorView::new(Dtype::F64, vec![12, 3], &first).unwrap(),
        ),
    ]);
    safetensors::serialize_to_file(several, None, &at("k.safetensors")).unwrap();

    let expected: Vec<Value> = (0..3).map(|g| json!([g, g + 3, g + 6, g + 9])).collect();
    for given in [
        ["--gradients", "g.npy"],
        ["--gradients", "single.npy"],
        ["--gradients", "fortran.npy"],
        ["--gradients", "g.safetensors"],
        ["--gram", "k.npy"],
        ["--gram", "k.safetensors"],
        ["--gram", "k.safetensors:gram"],
    ] {
        for grouping in [
            "spectral(k = 3)",
            "kmeans(k = known)",
            "spherical(k = eigengap)",
        ] {
            let line = [
                "group",
                given[0],
                given[1],
                "--labels",
                "labels.npy",
                "--grouping",
                grouping,
            ];
            let answer = json(folder.path(), &line);
            assert_eq!(members(&answer), expected, "{line:?}");
            assert_eq!(answer["agreement"]["adjusted_rand"], 1.0, "{line:?}");
            assert_eq!(answer["estimates"]["eigengap"], 3, "{line:?}");
            assert_eq!(answer["groups"][0]["size"], 4.0, "{line:?}");
            assert!(answer["spectrum"][0].as_f64().unwrap() > 0.0, "{line:?}");
        }
    }
    // Groupings that keep examples keep those of the file.
    for grouping in ["landmarks(k = 3)", "centroids(k = 3, sketch = 256)"] {
        let line = ["group", "--gradients", "g.npy", "--grouping", grouping];
        assert_eq!(members(&json(folder.path(), &line)), expected, "{grouping}");
        let line = ["group", "--gram", "k.npy", "--grouping", grouping];
        let said = refused(folder.path(), &line);
        assert!(
            said.contains("--gradients") && said.contains("spectral"),
            "{said}"
        );
    }
    // The table of the same groups.
    let line = [
        "group",
        "--gram",
        "k.npy",
        "--grouping",
        "spectral(k = 3)",
        "--format",
        "csv",
    ];
    let table = printed(folder.path(), &line);
    assert_eq!(table.lines().count(), 13);
    assert!(table.starts_with("example,group,weight\n0,"), "{table}");
    // Soft groups have memberships.
    let line = ["group", "--gram", "k.npy", "--grouping", "singular-vectors"];
    let soft = json(folder.path(), &line);
    assert_eq!(soft["signed"], true);
    assert_eq!(
        soft["groups"][0]["memberships"].as_array().unwrap().len(),
        12
    );
    assert!(soft.get("assignment").is_none());
}

/// Half precision is read as the single precision that holds it.
#[test]
fn half_precision_is_read() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // Of quarters, which all forms hold.
    let rows = gradients().0.mapv(|entry| (4.0 * entry).round() / 4.0);
    let single = rows.mapv(|entry| entry as f32);
    npy(at("single.npy"), &single);
    let short = bytes(
        single.iter().map(|&entry| f16::from_f32(entry).to_bits()),
        u16::to_le_bytes,
    );
    let brain = bytes(
        single.iter().map(|&entry| bf16::from_f32(entry).to_bits()),
        u16::to_le_bytes,
    );
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    let header = format!(
        "{:<117}\n",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (12, 5), }"
    );
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(&short);
    std::fs::write(at("half.npy"), file).unwrap();
    for (name, dtype, content) in [
        ("half.safetensors", Dtype::F16, &short),
        ("brain.safetensors", Dtype::BF16, &brain),
    ] {
        let view = TensorView::new(dtype, vec![12, 5], content).unwrap();
        safetensors::serialize_to_file([("w", view)], None, &at(name)).unwrap();
    }
    let answer = |file: &str| {
        let line = ["group", "--gradients", file, "--grouping", "kmeans(k = 3)"];
        json(folder.path(), &line)
    };
    let expected = answer("single.npy");
    for file in ["half.npy", "half.safetensors", "brain.safetensors"] {
        assert_eq!(answer(file), expected, "{file}");
    }
}

/// Nothing can be grouped.
#[test]
fn a_gram_matrix_of_no_example_is_refused() {
    let folder = tempdir().unwrap();
    npy(folder.path().join("k.npy"), &Array2::<f32>::zeros((0, 0)));
    let nothing: [f32; 0] = [];
    npy(folder.path().join("l.npy"), &arr1(&nothing));
    let line = ["group", "--gram", "k.npy", "--grouping", "spectral"];
    let message = refused(folder.path(), &line);
    assert!(message.contains("k.npy: holds no example"), "{message}");
    let rest = ["--losses", "l.npy", "--composition", "mean"];
    let line = [&["coefficients"], &line[1..], &rest].concat();
    let message = refused(folder.path(), &line);
    assert!(message.contains("holds no example"), "{message}");
}

/// A file of NumPy's with any header, whose entries are so many zeros.
fn written_npy(folder: &Path, descr: &str, shape: &str, zeros: usize) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(vec![0; zeros]);
    std::fs::write(folder.join("g.npy"), file).unwrap();
}

/// A shape whose other sizes are out of range, though there is nothing in the array.
#[test]
fn arrays_of_nothing_times_too_much_are_refused() {
    let folder = tempdir().unwrap();
    for shape in [
        "(0, 18446744073709551615)",
        "(0, 9223372036854775808)",
        "(9223372036854775807, 0)",
        "(4294967296, 0, 4294967296)",
    ] {
        written_npy(folder.path(), "<f4", shape, 0);
        let line = [
            "group",
            "--gradients",
            "g.npy",
            "--grouping",
            "kmeans(k = 2)",
        ];
        let message = refused(folder.path(), &line);
        assert!(
            message.contains("more than an array can have"),
            "{shape}: {message}"
        );
    }
}

/// What no program can read as numbers is named by what it is, not by a wrong length.
#[test]
fn arrays_of_other_types_are_named() {
    let folder = tempdir().unwrap();
    for (descr, bytes, said) in [
        ("<U2", 8, "\"U2\", texts"),
        ("|S3", 3, "\"S3\", texts"),
        ("|O", 9, "\"O\", objects of Python"),
        ("|b1", 1, "\"b1\", truth values"),
        ("<c16", 16, "\"c16\", complex numbers"),
        (
            "<f16",
            16,
            "\"f16\", floating-point numbers of another size",
        ),
        ("<M8[D]", 8, "times"),
    ] {
        written_npy(folder.path(), descr, "(2, 2)", 4 * bytes);
        let line = [
            "group",
            "--gradients",
            "g.npy",
            "--grouping",
            "kmeans(k = 2)",
        ];
        let message = refused(folder.path(), &line);
        assert!(
            message.contains(said) && message.contains("float16, float32"),
            "{message}"
        );
    }
}

/// Groups are found in single precision, whatever the size of gradients in the file.
#[test]
fn gradients_of_any_size_are_grouped() {
    let folder = tempdir().unwrap();
    let (rows, labels) = gradients();
    npy(folder.path().join("labels.npy"), &arr1(&labels));
    for size in [1.0, 1e-300, 1e-24, 1e-15, 1e25, 1e160, 1e300] {
        npy(
            folder.path().join("g.npy"),
            &rows.mapv(|entry| entry * size),
        );
        if (1e-150..1e150).contains(&size) {
            npy(
                folder.path().join("k.npy"),
                &(rows.dot(&rows.t()) * size * size),
            );
        }
        for grouping in [
            "kmeans(k = 3)",
            "spectral(k = 3)",
            "landmarks(k = 3)",
            "hdbscan(least_size = 3)",
        ] {
            for source in [["--gradients", "g.npy"], ["--gram", "k.npy"]] {
                if source[0] == "--gram"
                    && (grouping.starts_with("landmarks") || !(1e-150..1e150).contains(&size))
                {
                    continue;
                }
                let line = [
                    "group",
                    source[0],
                    source[1],
                    "--labels",
                    "labels.npy",
                    "--grouping",
                    grouping,
                ];
                let output = gradual(folder.path(), &line);
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(output.status.success(), "{size} {grouping}: {said}");
                assert_eq!(said.contains("divided by"), size != 1.0, "{size}: {said}");
                let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
                let agreement = &answer["agreement"]["adjusted_rand"];
                assert_eq!(
                    agreement.as_f64(),
                    Some(1.0),
                    "{size} {grouping} {source:?}: {answer}"
                );
            }
        }
    }
}

/// The power of two next to the largest numbers of single precision is not one of them.
#[test]
fn the_largest_numbers_of_single_precision_are_grouped() {
    let folder = tempdir().unwrap();
    let (rows, labels) = gradients();
    npy(folder.path().join("labels.npy"), &arr1(&labels));
    let largest = rows.iter().copied().fold(0.0, f64::max);
    for size in [f64::from(f32::MAX) / largest, 1e-44] {
        npy(
            folder.path().join("g.npy"),
            &rows.mapv(|entry| (entry * size) as f32),
        );
        let line = [
            "group",
            "--gradients",
            "g.npy",
            "--labels",
            "labels.npy",
            "--grouping",
            "kmeans(k = 3)",
        ];
        let answer = json(folder.path(), &line);
        assert_eq!(
            answer["agreement"]["adjusted_rand"].as_f64(),
            Some(1.0),
            "{size}: {answer}"
        );
    }
}

/// bfloat16 rounds a product by 0.4 %, which is no fault of a Gram matrix.
#[test]
fn gram_matrices_in_half_precision_are_read() {
    let folder = tempdir().unwrap();
    let (rows, _) = gradients();
    let rows = Array2::from_shape_fn((12, 5), |(j, p)| 3.0 + 1e-3 * rows[(j, p)] + j as f64);
    let gram = rows.dot(&rows.t()).mapv(|entry| entry as f32);
    let brain = bytes(
        gram.iter().map(|&entry| bf16::from_f32(entry).to_bits()),
        u16::to_le_bytes,
    );
    let write = |name: &str, content: &Vec<u8>| {
        let view = TensorView::new(Dtype::BF16, vec![12, 12], content).unwrap();
        safetensors::serialize_to_file([("gram", view)], None, &folder.path().join(name)).unwrap();
    };
    write("k.safetensors", &brain);
    let line = |file| ["group", "--gram", file, "--grouping", "kmeans(k = 2)"];
    json(folder.path(), &line("k.safetensors"));
    // What no rounding does is refused.
    let mut wrong = brain.clone();
    wrong[2 * 5..2 * 5 + 2].copy_from_slice(&bf16::from_f32(1e4).to_bits().to_le_bytes());
    wrong[2 * 60..2 * 60 + 2].copy_from_slice(&bf16::from_f32(1e4).to_bits().to_le_bytes());
    write("wrong.safetensors", &wrong);
    let said = refused(folder.path(), &line("wrong.safetensors"));
    assert!(said.contains("the product of the two norms"), "{said}");
}

/// p = 20 of losses of 0.001 has coefficients of 2e-56, which summed to 9e-14.
#[test]
fn coefficients_of_small_losses_sum_to_one() {
    let folder = tempdir().unwrap();
    let (_, labels) = gradients();
    npy(
        folder.path().join("l.npy"),
        &losses().mapv(|loss| loss * 1e-3),
    );
    npy(folder.path().join("labels.npy"), &arr1(&labels));
    let line = [
        "coefficients",
        "--losses",
        "l.npy",
        "--labels",
        "labels.npy",
        "--grouping",
        "labels",
        "--composition",
        "power(p = 20)",
        "--scale",
        "unit-sum",
    ];
    let answer = json(folder.path(), &line);
    let found = answer["coefficients"].as_array().unwrap().iter();
    let sum: f64 = found.map(|one| one.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

/// L = Σ_g ℓ̄_g² and its derivative 2 ℓ̄_g / n_g, by hand.
#[test]
fn coefficients_are_the_derivative_of_the_value() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (rows, labels) = gradients();
    npy(at("g.npy"), &rows);
    npy(at("l.npy"), &losses());
    let table: String = labels
        .iter()
        .map(|label| format!("skill {label}\n"))
        .collect();
    std::fs::write(at("labels.csv"), format!("label\n{table}")).unwrap();
    let line = |more: &[&'static str]| {
        let mut line = vec![
            "coefficients",
            "--losses",
            "l.npy",
            "--labels",
            "labels.csv",
            "--grouping",
            "labels",
        ];
        line.extend(more);
        line
    };
    let answer = json(folder.path(), &line(&["--composition", "squares"]));
    let means = [1.375, 1.625, 1.875];
    let value: f64 = means.iter().map(|mean| mean * mean).sum();
    assert!(
        (answer["value"].as_f64().unwrap() - value).abs() < 1e-12,
        "{answer}"
    );
    for (example, found) in answer["coefficients"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        let expected = 2.0 * means[example % 3] / 4.0;
        assert!(
            (found.as_f64().unwrap() - expected).abs() < 1e-12,
            "{example}: {found}"
        );
    }
    // Scaled so that they sum to one.
    let scaled = line(&[
        "--composition",
        "squares",
        "--scale",
        "unit-sum",
        "--format",
        "csv",
    ]);
    let table = printed(folder.path(), &scaled);
    let sum: f64 = table
        .lines()
        .skip(1)
        .map(|row| row.rsplit(',').next().unwrap().parse::<f64>().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-6, "{table}");
    // Rules on gradients, and a scale that goes by them.
    let rule = line(&[
        "--gradients",
        "g.npy",
        "--composition",
        "upgrad",
        "--scale",
        "match-norm",
    ]);
    assert_eq!(
        json(folder.path(), &rule)["coefficients"]
            .as_array()
            .unwrap()
            .len(),
        12
    );
    let said = refused(folder.path(), &line(&["--composition", "pcgrad"]));
    assert!(said.contains("--gradients"), "{said}");
    let around = line(&[
        "--composition",
        "mean",
        "--composition-wrapper",
        "shifted(floor = 0.1)",
    ]);
    assert!(
        json(folder.path(), &around)["composition_wrappers"][0]
            .as_str()
            .unwrap()
            .starts_with("shifted")
    );
}

/// Whatever is wrong is said by file, with what was expected and what was found.
#[test]
fn examples_in_no_group_are_counted() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (mut rows, _) = gradients();
    npy(at("all.npy"), &rows);
    rows.row_mut(4).fill(0.0);
    rows.row_mut(7).mapv_inplace(|entry| entry * 1e-300);
    npy(at("g.npy"), &rows);
    npy(at("k.npy"), &rows.dot(&rows.t()));
    std::fs::write(
        at("labels.csv"),
        "label\na\na\n\"\"\nb\nb\nb\na\na\na\na\na\na\n",
    )
    .unwrap();
    let told = |arguments: &[&str]| {
        let output = gradual(folder.path(), arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for source in [["--gradients", "g.npy"], ["--gram", "k.npy"]] {
        for grouping in ["kmeans(k = 3)", "singular-vectors"] {
            let arguments = [&["group"][..], &source, &["--grouping", grouping]].concat();
            let said = told(&arguments);
            assert!(
                said.contains("note: of 12 examples, 2 lie in no group; the gradients of 2 examples are zero or shorter than 1e-154"),
                "{source:?} {grouping}: {said}"
            );
        }
    }
    assert_eq!(
        told(&[
            "group",
            "--gradients",
            "all.npy",
            "--grouping",
            "kmeans(k = 3)"
        ]),
        ""
    );
    let said = told(&["group", "--labels", "labels.csv", "--grouping", "labels"]);
    assert_eq!(said, "note: of 12 examples, 1 lies in no group\n");
}

/// A table of labels is read as an array of them is.
#[test]
fn labels_of_a_table_are_those_of_an_array() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    npy(at("labels.npy"), &arr1(&[-1i64, 0, 1, 1]));
    std::fs::write(at("labels.csv"), "label\n-1\n0\n1\n1\n").unwrap();
    std::fs::write(at("na.csv"), "label\nNA\n0\n1\n1\n").unwrap();
    std::fs::write(at("losses.csv"), "loss\n1\n2\n3\n4\n").unwrap();
    let answer = |labels: &str| {
        let answer = json(
            folder.path(),
            &[
                "coefficients",
                "--losses",
                "losses.csv",
                "--labels",
                labels,
                "--grouping",
                "labels",
                "--composition",
                "mean",
            ],
        );
        answer["coefficients"].clone()
    };
    let expected = answer("labels.npy");
    assert_eq!(expected[0], 0.0);
    assert_eq!(answer("labels.csv"), expected);
    assert_eq!(answer("na.csv"), expected);
    // Of texts, -1 is one more.
    std::fs::write(at("texts.csv"), "label\n-1\na\nb\nb\n").unwrap();
    assert_ne!(answer("texts.csv")[0], 0.0);
    let told = |table: &str| {
        std::fs::write(at("told.csv"), table).unwrap();
        let output = gradual(
            folder.path(),
            &["group", "--labels", "told.csv", "--grouping", "labels"],
        );
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(
        told("label\n1\n1.0\n2\n")
            .contains("the labels \"1\" and \"1.0\" are one number, but two groups")
    );
    assert!(
        told("1\n2\n3\n")
            .contains("the first line, \"1\", is taken for the name of its only column")
    );
    assert_eq!(told("label\n1\n2\n"), "");
}

/// Nothing is waited for, and nothing is read without an end.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempdir().unwrap();
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.csv")).unwrap();
    for name in ["pipe.csv", "zero.csv"] {
        for flag in ["--labels", "--losses"] {
            let said = refused(
                folder.path(),
                &["group", flag, name, "--grouping", "labels"],
            );
            assert!(
                said.contains(name) && said.contains("no regular file"),
                "{said}"
            );
        }
        let said = refused(folder.path(), &["measure", name]);
        assert!(said.contains("no regular file"), "{said}");
    }
}

#[test]
fn wrong_files_are_refused_by_name() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &[u8]| std::fs::write(at(name), content).unwrap();
    let (rows, _) = gradients();
    let gram = rows.dot(&rows.t());
    npy(at("k.npy"), &gram);
    npy(at("g.npy"), &rows);
    npy(at("l.npy"), &losses());
    let changed = |name: &str, i: usize, j: usize, value: f64| {
        let mut gram = gram.clone();
        gram[(i, j)] = value;
        npy(at(name), &gram);
    };
    changed("nan.npy", 3, 4, f64::NAN);
    changed("asymmetric.npy", 5, 2, 7.0);
    changed("negative.npy", 6, 6, -2.0);
    npy(at("integers.npy"), &gram.mapv(|each| each as i64));
    npy(
        at("short.npy"),
        &losses().select(Axis(0), &[0, 1, 2, 3, 4, 5, 6]),
    );
    let whole = std::fs::read(at("k.npy")).unwrap();
    write("cut.npy", &whole[..whole.len() - 9]);
    write("empty.npy", b"");
    write("header.npy", &whole[..20]);
    write("text.npy", b"not an array");
    write("text.safetensors", b"not tensors at all");
    let lying =
        String::from_utf8_lossy(&whole[..128]).replace("(12, 12)", "(99999999999, 99999999999)");
    write("lying.npy", lying.as_bytes());
    write("losses.csv", b"loss,other\n1.0,2\nmany,3\n");
    write("labels.csv", b"a,b\n1,2\n");
    write("gap.csv", b"label\na\n\nb\n");
    npy(at("cosine.npy"), &ndarray::array![[1.0, 5.0], [5.0, 1.0]]);
    std::fs::create_dir(at("folder.npy")).unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["--gram", "nan.npy"],
            &["nan.npy", "NaN", "row 3, column 4"],
        ),
        (
            &["--gram", "asymmetric.npy"],
            &["asymmetric.npy", "symmetric", "row 5, column 2", "7"],
        ),
        (
            &["--gram", "negative.npy"],
            &["negative.npy", "-2", "row 6, column 6"],
        ),
        (&["--gram", "g.npy"], &["g.npy", "12 × 5", "--gradients"]),
        (&["--gram", "l.npy"], &["l.npy", "[n, n]", "[12]"]),
        (&["--gram", "integers.npy"], &["integers.npy", "float64"]),
        (&["--gram", "cut.npy"], &["cut.npy", "[12, 12]"]),
        (&["--gram", "empty.npy"], &["empty.npy"]),
        (&["--gram", "header.npy"], &["header.npy"]),
        (&["--gram", "text.npy"], &["text.npy"]),
        (&["--gram", "lying.npy"], &["lying.npy"]),
        (&["--gram", "folder.npy"], &["folder.npy"]),
        (&["--gram", "nowhere.npy"], &["nowhere.npy"]),
        (&["--gram", "text.safetensors"], &["text.safetensors"]),
        (&["--gram", "k.txt"], &["k.txt", ".safetensors"]),
        (&["--gradients", "l.npy"], &["l.npy", "[n, p]", "[12]"]),
        (
            &["--gram", "k.npy", "--losses", "short.npy"],
            &["short.npy", "7", "12", "k.npy"],
        ),
        (
            &["--gram", "k.npy", "--losses", "losses.csv"],
            &["losses.csv", "line 3", "many"],
        ),
        (
            &["--gram", "k.npy", "--labels", "labels.csv"],
            &["labels.csv", "label", "\"a\", \"b\""],
        ),
        (
            &["--gram", "k.npy", "--labels", "l.npy"],
            &["l.npy", "whole numbers"],
        ),
        (
            &["--gram", "k.npy", "--labels", "gap.csv"],
            &["gap.csv", "line 3 is empty"],
        ),
        (
            &["--gram", "cosine.npy"],
            &["cosine.npy", "row 1, column 0", "product of the two norms"],
        ),
        (&["--losses", "l.npy"], &["--gradients"]),
        (&[], &["--gram"]),
    ];
    for (files, expected) in cases {
        let mut line = vec!["group", "--grouping", "spectral(k = 2)"];
        line.extend(*files);
        let said = refused(folder.path(), &line);
        for words in *expected {
            assert!(
                said.contains(words),
                "{line:?}: {words} is missing in {said}"
            );
        }
    }
    for (grouping, expected) in [
        ("spectral(k = known)", "--labels"),
        ("kmeans", "k = eigengap"),
        ("labels", "--labels"),
        ("difficulty(k = 2)", "--losses"),
        ("spectrall", "spectral"),
        ("spectral(k = 99)", "99"),
        ("landmarks(examples = 5, k = 2)", "examples"),
    ] {
        let line = ["group", "--gradients", "g.npy", "--grouping", grouping];
        let said = refused(folder.path(), &line);
        assert!(said.contains(expected), "{grouping}: {said}");
    }
}

/// A file that is there is not written over, and a new one is whole.
#[test]
fn results_go_into_new_files_alone() {
    let folder = tempdir().unwrap();
    npy(folder.path().join("g.npy"), &gradients().0);
    let line = [
        "group",
        "--gradients",
        "g.npy",
        "--grouping",
        "spectral(k = 3)",
        "--out",
        "out.json",
    ];
    assert_eq!(printed(folder.path(), &line), "");
    let before = std::fs::read(folder.path().join("out.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&before).unwrap()["examples"],
        12
    );
    assert!(refused(folder.path(), &line).contains("out.json"));
    assert_eq!(
        std::fs::read(folder.path().join("out.json")).unwrap(),
        before
    );
}

/// What looks at losses asks for them, and nothing else does.
#[test]
fn labels_that_name_nothing_are_refused() {
    let folder = tempdir().unwrap();
    npy(folder.path().join("none.npy"), &arr1(&[-1_i64; 12]));
    std::fs::write(
        folder.path().join("none.csv"),
        "label\nNA\n".to_owned() + &"NA\n".repeat(11),
    )
    .unwrap();
    for file in ["none.npy", "none.csv"] {
        let said = refused(
            folder.path(),
            &["group", "--labels", file, "--grouping", "labels"],
        );
        let expected = "no example has a label: every one is below zero or missing";
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn losses_are_asked_for_where_they_matter() {
    use gradual::group::registry::{GROUPINGS, WRAPPERS};
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (rows, labels) = gradients();
    npy(at("g.npy"), &rows);
    npy(at("labels.npy"), &arr1(&labels));
    npy(at("l.npy"), &losses());
    npy(at("turned.npy"), &losses().mapv(|loss| 4.0 - loss));
    let run = |more: &[&str]| {
        let mut line = vec!["group", "--gradients", "g.npy", "--labels", "labels.npy"];
        line.extend(more);
        let output = gradual(folder.path(), &line);
        let answer: Option<Value> = serde_json::from_slice(&output.stdout).ok();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (answer.map(|answer| answer.get("assignment").cloned()), said)
    };
    let groupings = GROUPINGS.names().map(|name| {
        let spec = match name {
            "noisy-labels" => "noisy-labels(share = 0.5)",
            "merged-labels" => "merged-labels(k = 2)",
            other => other,
        };
        (name, vec!["--grouping", spec])
    });
    let wrappers = WRAPPERS.names().map(|name| {
        let around = match name {
            "after" => "after(draws = 1)",
            "priors" => "priors(weights = [1, 2, 3])",
            other => other,
        };
        (name, vec!["--grouping", "labels", "--wrapper", around])
    });
    for (name, line) in groupings.chain(wrappers) {
        let without = run(&line);
        let with = |losses| run(&[&line[..], &["--losses", losses]].concat());
        let (one, other) = (with("l.npy"), with("turned.npy"));
        assert!(one.0.is_some(), "{name}: {}", one.1);
        match without.0 {
            Some(found) => assert!(
                Some(&found) == one.0.as_ref() && one.0 == other.0,
                "{name} goes by losses"
            ),
            None => assert!(without.1.contains("--losses"), "{name}: {}", without.1),
        }
    }
}

#[test]
fn what_there_is_is_listed_and_explained() {
    let folder = tempdir().unwrap();
    let list = printed(folder.path(), &["--list"]);
    for name in [
        "spectral",
        "landmarks",
        "tracked",
        "cvar",
        "pcgrad",
        "shifted",
        "unit-sum",
        "at_most",
    ] {
        assert!(list.contains(name), "{name}");
    }
    for command in ["group", "coefficients", "measure", "report", "watch"] {
        let help = printed(folder.path(), &[command, "--help"]);
        assert!(
            help.contains("Examples:") && help.contains(&format!("gradual {command}")),
            "{help}"
        );
    }
    let output = gradual(folder.path(), &["group", "--nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(gradual(folder.path(), &[]).status.code(), Some(2));
}
