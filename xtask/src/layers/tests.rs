//! The checker on small workspaces that are written to a temporary folder.

use std::fs;

use super::*;

const GRAD: (&str, &str) = (
    "gradual-grad",
    "[dependencies]\nburn = { foreign = 'burn' }\n",
);

/// Violations of a workspace whose crates have these names and lines of their manifests. `own = 'NAME'` in the place of
/// a path stands for a crate of the workspace, `foreign = 'NAME'` for one from outside it.
fn check(members: &[(&str, &str)]) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    let write = |folder: &str, (name, lines): &(&str, &str)| {
        let lines = lines.replace("own = '", "path = '../");
        let lines = lines.replace("foreign = '", "path = '../../foreign/");
        let folder = home.path().join(folder).join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        fs::write(folder.join("src/lib.rs"), "").unwrap();
        let package = format!("[package]\nname = '{name}'\nversion = '0.1.0'\nedition = '2024'\n");
        fs::write(folder.join("Cargo.toml"), package + &lines).unwrap();
    };
    let burn = "[features]\nwgpu = ['dep:burn-wgpu']\nsimd = []\n\
                [dependencies]\nburn-wgpu = { own = 'burn-wgpu', optional = true }\n";
    for foreign in [
        ("burn", burn),
        ("burn-wgpu", ""),
        ("burndown", ""),
        ("gradual-train", ""),
        ("curves", "[dependencies]\nburn = { own = 'burn' }\n"),
        ("tested", "[dev-dependencies]\nburn = { own = 'burn' }\n"),
    ] {
        write("foreign", &foreign);
    }
    members.iter().for_each(|member| write("crates", member));
    let root = home.path().join("Cargo.toml");
    let lines = "[workspace]\nresolver = '3'\nmembers = ['crates/*']\nexclude = ['foreign']\n";
    fs::write(&root, lines).unwrap();
    violations(&root).unwrap()
}

#[test]
fn a_clean_workspace_passes() {
    let report = "[dependencies]\ngradual-measure = { own = 'gradual-measure' }\n\
                  burndown = { foreign = 'burndown' }\ntested = { foreign = 'tested' }\n";
    let loss = "[features]\nfast = ['burn/simd']\n[dependencies]\nburn = { foreign = 'burn' }\n\
                [dev-dependencies]\nburn = { foreign = 'burn', features = ['wgpu'] }\n";
    let backends =
        "[features]\nwgpu = ['burn/wgpu']\n[dependencies]\nburn = { foreign = 'burn' }\n";
    let found = check(&[
        ("gradual-measure", ""),
        GRAD,
        ("gradual-loss", loss),
        ("gradual-report", report),
        ("gradual-backends", backends),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_dependency_on_a_later_crate_is_named() {
    for kind in ["dependencies", "build-dependencies"] {
        let lines = format!("[{kind}]\ngradual-train = {{ own = 'gradual-train' }}\n");
        let found = check(&[("gradual-loss", &lines), ("gradual-train", "")]);
        assert_eq!(
            found,
            ["gradual-loss depends on gradual-train, which is below it in the order of layers"]
        );
    }
}

#[test]
fn what_tests_need_and_what_is_from_outside_has_no_layer() {
    let of_tests = "[dev-dependencies]\ngradual-train = { own = 'gradual-train' }\n";
    let found = check(&[("gradual-loss", of_tests), ("gradual-train", "")]);
    assert_eq!(found, [""; 0]);
    let outside = "[dependencies]\ngradual-train = { foreign = 'gradual-train' }\n";
    assert_eq!(check(&[("gradual-loss", outside)]), [""; 0]);
}

#[test]
fn a_crate_without_a_layer_is_named() {
    let found = check(&[("gradual-extra", "")]);
    assert_eq!(
        found,
        ["gradual-extra has no layer; give it one in xtask/src/layers.rs"]
    );
}

#[test]
fn the_report_uses_few_others() {
    let lines = "[dependencies]\ngradual-loss = { own = 'gradual-loss' }\n";
    let found = check(&[("gradual-loss", ""), ("gradual-report", lines)]);
    let allowed = "of this workspace it may only use gradual-measure, gradual-runs";
    assert_eq!(
        found,
        [format!(
            "gradual-report depends on gradual-loss, but {allowed}"
        )]
    );
}

#[test]
fn burn_is_found_behind_our_crates_and_those_of_others() {
    for lines in [
        "curves = { foreign = 'curves' }",
        "curves = { foreign = 'curves', optional = true }",
        "gradual-grad = { own = 'gradual-grad' }",
    ] {
        let found = check(&[GRAD, ("xtask", &format!("[dependencies]\n{lines}\n"))]);
        assert_eq!(found.len(), 1);
        let expected = "xtask must not depend on Burn, but it does: see `cargo tree ";
        assert!(
            found[0].starts_with(expected) && found[0].ends_with("-p xtask -i burn`"),
            "{found:?}"
        );
    }
}

#[test]
fn a_library_that_enables_a_backend_is_named() {
    for lines in [
        "[dependencies]\nburn = { foreign = 'burn', features = ['wgpu'] }\n",
        "[dependencies]\nburn-wgpu = { foreign = 'burn-wgpu' }\n",
        "[features]\ngpu = ['framework?/wgpu']\n[dependencies]\n\
         framework = { package = 'burn', foreign = 'burn', optional = true }\n",
    ] {
        let found = check(&[("gradual-loss", lines)]);
        assert_eq!(found.len(), 1);
        let expected = "gradual-loss must not choose a backend, but it does: see `cargo tree ";
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}
