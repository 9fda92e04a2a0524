//! The checker on small workspaces that are written to a temporary folder.

use std::fs;

use super::*;

/// Violations of a workspace whose crates have these names and lines of their manifests. `{ foreign = "burn" }` and
/// the like stand for a crate from outside it.
fn check(members: &[(&str, &str)]) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let write = |folder: String, name: &str, lines: &str| {
        let folder = home.path().join(folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/lib.rs"), "").unwrap();
        let package =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        fs::write(folder.join("Cargo.toml"), package + lines).unwrap();
    };
    let burn = "[features]\nflex = []\nwgpu = []\nsimd = []\n";
    for (name, lines) in [
        ("burn", burn),
        ("burn-ndarray", ""),
        ("burndown", ""),
        ("gradual-train", ""),
        ("curves", "[dependencies]\nburn = { path = \"../burn\" }\n"),
        (
            "curves-in-tests",
            "[dev-dependencies]\nburn = { path = \"../burn\" }\n",
        ),
    ] {
        write(format!("foreign/{name}"), name, lines);
    }
    for (name, lines) in members {
        let lines = lines
            .replace("own = \"", "path = \"../")
            .replace("foreign = \"", "path = \"../../foreign/");
        write(format!("crates/{name}"), name, &lines);
    }
    let root = home.path().join("Cargo.toml");
    fs::write(
        &root,
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\nexclude = [\"foreign\"]\n",
    )
    .unwrap();
    violations(&root).unwrap()
}

const ON_TRAIN: &str = "gradual-train = { own = \"gradual-train\" }\n";

#[test]
fn a_clean_workspace_passes() {
    let found = check(&[
        ("gradual-measure", ""),
        (
            "gradual-grad",
            "[dependencies]\nburn = { foreign = \"burn\" }\n\
             [dev-dependencies]\nburn = { foreign = \"burn\", features = [\"flex\"] }\n",
        ),
        (
            "gradual-report",
            "[dependencies]\ngradual-measure = { own = \"gradual-measure\" }\n\
             burndown = { foreign = \"burndown\" }\ncurves-in-tests = { foreign = \"curves-in-tests\" }\n",
        ),
        (
            "gradual-backends",
            "[features]\nflex = [\"burn/flex\"]\n[dependencies]\nburn = { foreign = \"burn\" }\n",
        ),
        ("xtask", ""),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_dependency_on_a_later_crate_is_named() {
    for kind in ["dependencies", "build-dependencies"] {
        let lines = format!("[{kind}]\n{ON_TRAIN}");
        let found = check(&[("gradual-loss", &lines), ("gradual-train", "")]);
        assert_eq!(
            found,
            ["gradual-loss depends on gradual-train, which is below it in the order of layers"]
        );
    }
}

#[test]
fn what_tests_need_and_what_is_from_outside_has_no_layer() {
    let of_tests = format!("[dev-dependencies]\n{ON_TRAIN}");
    assert_eq!(
        check(&[("gradual-loss", &of_tests), ("gradual-train", "")]),
        [""; 0]
    );
    let outside = "[dependencies]\ngradual-train = { foreign = \"gradual-train\" }\n";
    assert_eq!(check(&[("gradual-loss", outside)]), [""; 0]);
}

#[test]
fn a_crate_without_a_layer_is_named() {
    assert_eq!(
        check(&[("gradual-extra", "")]),
        ["gradual-extra has no layer; give it one in xtask/src/layers.rs"]
    );
}

#[test]
fn the_report_uses_few_others() {
    let lines = "[dependencies]\ngradual-loss = { own = \"gradual-loss\" }\n";
    let found = check(&[("gradual-loss", ""), ("gradual-report", lines)]);
    assert_eq!(
        found,
        [
            "gradual-report depends on gradual-loss, but of this workspace it may only use gradual-measure, gradual-runs"
        ]
    );
}

#[test]
fn burn_is_found_behind_our_crates_and_those_of_others() {
    for lines in [
        "curves = { foreign = \"curves\" }",
        "curves = { foreign = \"curves\", optional = true }",
        "gradual-loss = { own = \"gradual-loss\" }",
    ] {
        let lines = format!("[dependencies]\n{lines}\n");
        let burn = "[dependencies]\nburn = { foreign = \"burn\" }\n";
        let found = check(&[("gradual-loss", burn), ("xtask", &lines)]);
        assert_eq!(
            found,
            [
                "xtask must not depend on Burn, but it does: see `cargo tree --all-features -p xtask -i burn`"
            ]
        );
    }
}

#[test]
fn a_library_that_enables_a_backend_is_named() {
    for (lines, how) in [
        (
            "[dependencies]\nburn = { foreign = \"burn\", features = [\"flex\"] }\n",
            "it depends on burn with 'flex'",
        ),
        (
            "[dependencies]\nburn-ndarray = { foreign = \"burn-ndarray\" }\n",
            "it depends on burn-ndarray",
        ),
        (
            "[features]\ngpu = [\"framework?/wgpu\"]\nfast = [\"framework/simd\"]\n[dependencies]\n\
             framework = { package = \"burn\", foreign = \"burn\", optional = true }\n",
            "its feature 'gpu' enables 'framework?/wgpu'",
        ),
    ] {
        let expected =
            format!("only gradual-backends may enable a backend, but gradual-grad does: {how}");
        assert_eq!(check(&[("gradual-grad", lines)]), [expected]);
    }
}
