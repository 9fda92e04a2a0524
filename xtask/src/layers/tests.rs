//! The checker on small made-up workspaces.

use serde_json::{Value, json};

use super::*;

/// A crate of the workspace, named as its id.
fn member(name: &str, dependencies: Value) -> Value {
    json!({"id": name, "name": name, "dependencies": dependencies, "features": {}})
}

fn local(name: &str) -> Value {
    json!({"name": name, "source": null, "kind": null, "features": []})
}

fn foreign(name: &str, kind: Option<&str>, features: &[&str]) -> Value {
    json!({"name": name, "source": "registry", "kind": kind, "features": features})
}

/// A node of the resolved graph; `kind` is that of all its dependencies.
fn node(id: &str, kind: Option<&str>, needs: &[&str]) -> Value {
    let needs: Vec<Value> = needs
        .iter()
        .map(|id| json!({"pkg": id, "dep_kinds": [{"kind": kind}]}))
        .collect();
    json!({"id": id, "deps": needs})
}

/// Violations of a workspace of `members`, with further foreign packages and a resolved graph.
fn check(members: &[Value], foreign: &[&str], nodes: &[Value]) -> Vec<String> {
    let ids: Vec<&Value> = members.iter().map(|member| &member["id"]).collect();
    let mut packages = members.to_vec();
    packages.extend(foreign.iter().map(|name| json!({"id": name, "name": name})));
    let metadata = Metadata::parse(&json!({
        "workspace_members": ids,
        "packages": packages,
        "resolve": {"nodes": nodes},
    }));
    violations(&metadata.unwrap())
}

fn check_members(members: &[Value]) -> Vec<String> {
    check(members, &[], &[])
}

#[test]
fn a_clean_workspace_passes() {
    let mut lab = member(
        "gradual-lab",
        json!([
            local("gradual"),
            local("gradual-report"),
            foreign("burn", None, &[])
        ]),
    );
    lab["features"] = json!({"default": ["flex"], "flex": ["burn/flex"]});
    let members = [
        member("gradual-measure", json!([foreign("serde", None, &[])])),
        member(
            "gradual-grad",
            json!([
                foreign("burn", None, &["std"]),
                foreign("burn", Some("dev"), &["flex"])
            ]),
        ),
        member(
            "gradual",
            json!([local("gradual-grad"), local("gradual-measure")]),
        ),
        member("gradual-report", json!([local("gradual-measure")])),
        lab,
        member("xtask", json!([foreign("clap", None, &[])])),
    ];
    let nodes = [
        node("gradual-measure", None, &["serde"]),
        node("gradual-grad", None, &["burn"]),
        node("gradual-report", None, &["gradual-measure"]),
        node("xtask", None, &["clap"]),
    ];
    let found = check(&members, &["serde", "burn", "clap"], &nodes);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_dependency_on_a_later_crate_is_named() {
    let found = check_members(&[
        member("gradual-grad", json!([])),
        member(
            "gradual-loss",
            json!([local("gradual-train"), local("gradual-grad")]),
        ),
        member("gradual-train", json!([])),
    ]);
    assert_eq!(
        found,
        ["gradual-loss depends on gradual-train, which is below it in the order of layers"]
    );
}

#[test]
fn build_dependencies_count_and_those_of_tests_do_not() {
    let later = |kind: &str| {
        let mut dependency = local("gradual-train");
        dependency["kind"] = json!(kind);
        check_members(&[member("gradual-loss", json!([dependency]))])
    };
    assert_eq!(later("build").len(), 1);
    assert_eq!(later("dev"), [""; 0]);
}

#[test]
fn a_foreign_crate_with_a_name_of_ours_has_no_layer() {
    let found = check_members(&[member(
        "gradual-loss",
        json!([foreign("gradual-train", None, &[])]),
    )]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_crate_without_a_layer_is_named() {
    let found = check_members(&[member("gradual-extra", json!([]))]);
    assert_eq!(
        found,
        ["gradual-extra has no layer; give it one in xtask/src/layers.rs"]
    );
}

#[test]
fn the_report_uses_records_and_measures_alone() {
    let found = check_members(&[
        member("gradual-measure", json!([])),
        member("gradual-loss", json!([])),
        member(
            "gradual-report",
            json!([local("gradual-measure"), local("gradual-loss")]),
        ),
    ]);
    assert_eq!(
        found,
        [
            "gradual-report depends on gradual-loss, but of this workspace it may only use gradual-measure, gradual-runs"
        ]
    );
}

#[test]
fn burn_is_found_behind_a_crate_of_the_workspace() {
    let found = check_members(&[
        member("gradual-tasks", json!([foreign("burn", None, &[])])),
        member("xtask", json!([local("gradual-tasks")])),
    ]);
    assert_eq!(
        found,
        ["xtask must not depend on Burn, but it does: xtask -> gradual-tasks -> burn"]
    );
}

#[test]
fn burn_is_found_behind_a_foreign_crate() {
    let members = [member(
        "gradual-measure",
        json!([foreign("curves", None, &[])]),
    )];
    let nodes = |kind| {
        [
            node("gradual-measure", None, &["curves"]),
            node("curves", kind, &["burn-tensor"]),
        ]
    };
    let foreign = ["curves", "burn-tensor"];
    assert_eq!(
        check(&members, &foreign, &nodes(None)),
        [
            "gradual-measure must not depend on Burn, but it does: gradual-measure -> curves -> burn-tensor"
        ]
    );
    assert_eq!(check(&members, &foreign, &nodes(Some("dev"))), [""; 0]);
}

#[test]
fn a_name_that_only_begins_like_burn_is_not_burn() {
    let found = check_members(&[member(
        "gradual-measure",
        json!([foreign("burndown", None, &[])]),
    )]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_circle_in_the_graph_ends() {
    let members = [member("gradual-measure", json!([]))];
    let nodes = [
        node("gradual-measure", None, &["a"]),
        node("a", None, &["gradual-measure", "a"]),
    ];
    assert_eq!(check(&members, &["a"], &nodes), [""; 0]);
}

#[test]
fn a_library_that_enables_a_backend_is_named() {
    let enabled = check_members(&[member(
        "gradual-grad",
        json!([foreign("burn", None, &["std", "flex"])]),
    )]);
    assert_eq!(
        enabled,
        [
            "only gradual-lab may enable a backend, but gradual-grad does: it depends on burn with 'flex'"
        ]
    );

    let direct = check_members(&[member(
        "gradual-grad",
        json!([foreign("burn-ndarray", None, &[])]),
    )]);
    assert_eq!(
        direct,
        [
            "only gradual-lab may enable a backend, but gradual-grad does: it depends on burn-ndarray"
        ]
    );

    let mut burn = foreign("burn", None, &[]);
    burn["rename"] = json!("framework");
    let mut by_feature = member("gradual-grad", json!([burn]));
    by_feature["features"] = json!({"gpu": ["framework?/wgpu"], "fast": ["framework/simd"]});
    assert_eq!(
        check_members(&[by_feature]),
        [
            "only gradual-lab may enable a backend, but gradual-grad does: its feature 'gpu' enables 'framework?/wgpu'"
        ]
    );
}
