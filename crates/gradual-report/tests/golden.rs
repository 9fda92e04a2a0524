//! Figures against drawings that were looked at: `tests/golden/*.svg`.
//!
//! After a change that is meant, `GRADUAL_GOLDEN=write cargo test -p gradual-report --test golden` writes them
//! anew; look at them.

mod common;

use std::fs;
use std::path::Path;

use common::{Arm, Fixture};
use gradual_report::{claims, report};
use tempfile::tempdir;

/// One of each kind.
const FIGURES: [&str; 15] = [
    "tax-width",
    "tax-spread",
    "strength-at-spread",
    "curves-erm",
    "raster-erm",
    "overlay-mean-steps",
    "overlay-mean-loss",
    "times-labels",
    "threshold-loss",
    "predicted-erm",
    "flow-labels",
    "churn-labels",
    "shares-labels",
    "signs-singular-vectors",
    "spectrum-singular-vectors",
];

#[test]
fn figures_are_as_they_were() {
    let root = tempdir().unwrap();
    let fixture = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 10.0, 0.3, false),
            Arm::new("labels", 500.0, 1.5, 0.6, true),
            Arm::new("singular-vectors", 150.0, 8.0, 0.4, true),
        ],
        capabilities: 3,
        seeds: 2,
        steps: 2000,
        evaluations: 16,
        ..Fixture::default()
    };
    let dir = fixture.write(root.path());
    let record = dir.join("experiment.json");
    let mut described: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&record).unwrap()).unwrap();
    for (arm, at) in described["arms"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .zip([1, 2, 4])
    {
        arm["series"] = serde_json::json!({ "name": "power", "at": at });
    }
    fs::write(&record, described.to_string()).unwrap();
    report(&dir).unwrap();
    let page = root.path().join("docs/claims.md");
    claims(std::slice::from_ref(&dir), &page).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let drawn = FIGURES.map(|name| dir.join(format!("report/figures/{name}.svg")));
    let claim = root.path().join("docs/figures/claims/claim-parity-1.svg");
    let mut changed = Vec::new();
    for path in drawn.iter().chain([&claim]) {
        let name = path.file_name().unwrap();
        let now = fs::read_to_string(path).unwrap();
        let kept = golden.join(name);
        if std::env::var_os("GRADUAL_GOLDEN").is_some() {
            fs::create_dir_all(&golden).unwrap();
            fs::write(&kept, &now).unwrap();
        }
        if fs::read_to_string(&kept).unwrap_or_default() != now {
            changed.push(name.to_owned());
        }
    }
    assert!(
        changed.is_empty(),
        "drawn otherwise than in {}: {changed:?}",
        golden.display()
    );
}
