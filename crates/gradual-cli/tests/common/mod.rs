//! The program, and files for it.

#![allow(dead_code, unreachable_pub, reason = "not every test uses every part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ndarray::{Array1, Array2};
use serde_json::Value;

/// Runs `gradual` in a folder.
pub fn gradual(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradual"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

/// What it prints, as JSON.
pub fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(folder, arguments)).expect("JSON")
}

/// What it prints.
pub fn printed(folder: &Path, arguments: &[&str]) -> String {
    let output = gradual(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

/// What it says when it refuses.
pub fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = gradual(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

/// Gradients along one of three axes, with their axes.
pub fn gradients() -> (Array2<f64>, Vec<i64>) {
    let labels: Vec<i64> = (0..12).map(|j| j % 3).collect();
    let rows = Array2::from_shape_fn((12, 5), |(j, p)| {
        let noise = ((7 * j + 3 * p) % 11) as f64 / 100.0;
        match p == j % 3 {
            true => 1.0 + 0.1 * j as f64 + noise,
            false => noise,
        }
    });
    (rows, labels)
}

/// Losses of the same examples.
pub fn losses() -> Array1<f64> {
    Array1::from_shape_fn(12, |j| 0.25 * (j + 1) as f64)
}

pub fn npy<A: ndarray_npy::WritableElement, D: ndarray::Dimension>(
    path: PathBuf,
    array: &ndarray::Array<A, D>,
) {
    ndarray_npy::write_npy(path, array).expect("written");
}
