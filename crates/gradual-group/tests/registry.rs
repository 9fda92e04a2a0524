//! Every grouping and every wrapper is in the registry, and what the registry says is so.

mod common;

use std::path::Path;

use common::entries::{self, by_default, context, variations};
use common::{Itself, planted};
use gradual_grad::{Metric, Traced};
use gradual_group::registry::{GROUPINGS, WRAPPERS};
use gradual_group::{
    After, Centroids, Damped, Diffusion, Draw, EachExample, GroupError, Grouping, Groups, Hdbscan,
    HowMany, InMetric, KMeans, Labels, Landmarks, MergedLabels, Merging, Mistakes, NoisyLabels,
    OneGroup, Priors, RandomGroups, SingularVectors, SparseAtoms, Spectral, SphericalKMeans,
    SplitLabels, SplitMerge, Standing, Tracked,
};
use gradual_registry::{Kind, Registry, Spec, Value};

const GROUPS: usize = 4;

/// The sources of one folder that hold this text.
fn sources(folder: &str, text: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder);
    let files = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = files
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| {
            std::fs::read_to_string(path)
                .expect("a text")
                .contains(text)
        })
        .map(|path| {
            path.file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// A file with a grouping that has no entry, or an entry that is not in the list.
#[test]
fn no_grouping_is_forgotten() {
    let written = sources("groupings", "impl Grouping for");
    assert_eq!(sources("groupings", "static ENTRY:"), written);
    assert_eq!(GROUPINGS.iter().count(), written.len(), "{written:?}");
    let mut written = sources("wrappers", "Wrapper for");
    // The metric is the context's, and the file of the trait holds an impl for all.
    written.retain(|name| name != "in_metric" && name != "wrapper");
    assert_eq!(sources("wrappers", "static ENTRY:"), written);
    assert_eq!(WRAPPERS.iter().count(), written.len(), "{written:?}");
}

/// The tables of the crate's documentation are printed from the registry; `GRADUAL_GOLDEN=1` prints them again.
#[test]
fn the_tables_of_the_documentation_are_printed_from_the_registry() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (file, table) in [
        ("groupings.md", GROUPINGS.overview()),
        ("wrappers.md", WRAPPERS.overview()),
    ] {
        let path = sources.join(file);
        if std::env::var_os("GRADUAL_GOLDEN").is_some() {
            std::fs::write(&path, &table).unwrap();
        }
        let printed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            printed, table,
            "{file}: print it again with GRADUAL_GOLDEN=1"
        );
        let columns = |line: &str| line.matches(" | ").count();
        let mut lines = table.lines();
        let wanted = columns(lines.next().unwrap());
        assert!(lines.skip(1).all(|line| columns(line) == wanted), "{table}");
    }
}

/// Names, sentences and bounds; every value outside the bounds is refused.
fn well_formed<C, T>(registry: &Registry<C, T>) {
    let mut names: Vec<&str> = registry.names().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), registry.iter().count());
    for entry in registry.iter() {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(entry.name.chars().all(plain), "{}", entry.name);
        assert!(
            !entry.about.is_empty() && !entry.about.ends_with('.'),
            "{}",
            entry.about
        );
        let defaults = by_default(entry, GROUPS);
        for parameter in entry.parameters {
            let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
            assert!(parameter.name.chars().all(plain), "{}", parameter.name);
            for value in parameter.refused() {
                let spec = defaults.clone().with(parameter.name, value);
                let error = registry.resolve(&spec).expect_err("outside").to_string();
                assert!(error.contains(parameter.name), "{error}");
            }
        }
    }
}

#[test]
fn entries_are_well_formed() {
    well_formed(&GROUPINGS);
    well_formed(&WRAPPERS);
}

/// Every value within the bounds is taken by the constructor.
#[test]
fn every_variation_is_built() {
    for entry in GROUPINGS.iter() {
        for spec in variations(entry, GROUPS, &[]) {
            let metric = Some(Metric::whitened());
            let plain = entries::grouping(&spec, context(GROUPS, None));
            let metric = entries::grouping(&spec, context(GROUPS, metric));
            assert_eq!(plain.needs(), metric.needs(), "{spec}");
            match plain.check(2_000) {
                // Two standing examples are too few for the known groups.
                Ok(()) | Err(GroupError::TooFewStanding { .. }) => {}
                Err(error) => panic!("{spec}: {error}"),
            }
        }
    }
    for entry in WRAPPERS.iter() {
        for spec in variations(entry, GROUPS, &[]) {
            let inner = entries::grouping(&Spec::new("random"), context(GROUPS, None));
            let wrapper = entries::wrapped(&spec, context(GROUPS, None), inner);
            wrapper
                .check(2_000)
                .unwrap_or_else(|error| panic!("{spec}: {error}"));
        }
    }
}

/// Three draws of 48 examples, 48 of which stand where examples are wanted; none where others are.
fn tried(mut grouping: Box<dyn Grouping>) -> Result<(), GroupError> {
    let model = Itself::new(20);
    grouping.check(48)?;
    for seed in 0..3 {
        let (traced, labels) = shown(&model, seed);
        let draw = Draw::from(&traced).with_labels(&labels);
        match grouping.wants() {
            Some(Standing::Fresh(examples)) if examples != 48 => return Ok(()),
            Some(_) => grouping.stand(&draw)?,
            None => {}
        }
        let expected = (grouping.num_groups(48), grouping.is_signed());
        let groups = grouping.group(&draw)?;
        assert!(expected.0.is_none_or(|groups| groups > 0));
        if let Some(expected) = expected.0 {
            assert_eq!(groups.num_groups(), expected);
        }
        assert_eq!(groups.is_signed(), expected.1);
    }
    Ok(())
}

/// The least and the largest value of every parameter makes a grouping that works, or an error: nothing panics, and
/// nothing takes more memory than there is.
#[test]
fn the_ends_of_every_range_are_safe() {
    let mut worked = 0;
    let mut note = |spec: &Spec, grouping: Result<Box<dyn Grouping>, _>| {
        let tried = grouping.map_err(|error: gradual_registry::RegistryError| error.to_string());
        let tried = tried.and_then(tried_text);
        if let Err(error) = &tried {
            assert!(error.len() > 10, "{spec}: {error}");
        }
        worked += usize::from(tried.is_ok());
    };
    for entry in GROUPINGS.iter() {
        let mut base = by_default(entry, GROUPS);
        if entries::has(entry, "examples") {
            base = base.with("examples", Value::Count(48));
            base = base.with("every", Value::Count(1));
        }
        for parameter in entry.parameters {
            for value in parameter.extremes() {
                let spec = entries::set(base.clone(), parameter, value);
                note(&spec, GROUPINGS.build(&spec, context(GROUPS, None)));
            }
        }
        note(&base, GROUPINGS.build(&base, context(GROUPS, None)));
    }
    for entry in WRAPPERS.iter() {
        let base = by_default(entry, GROUPS);
        for parameter in entry.parameters {
            for value in parameter.extremes() {
                let spec = base.clone().with(parameter.name, value);
                let inner = entries::grouping(&Spec::new("random"), context(GROUPS, None));
                note(&spec, WRAPPERS.build(&spec, (context(GROUPS, None), inner)));
            }
        }
    }
    assert!(worked > 60, "{worked} of them work");
}

fn tried_text(grouping: Box<dyn Grouping>) -> Result<(), String> {
    tried(grouping).map_err(|error| error.to_string())
}

/// What is larger than that is refused by its name, and so is what a draw has no room for.
#[test]
fn numbers_beyond_all_bounds_are_refused() {
    for entry in GROUPINGS.iter() {
        for parameter in entry.parameters.iter().filter(|p| p.kind() == Kind::Count) {
            let spec = by_default(entry, GROUPS).with(parameter.name, Value::Count(u64::MAX));
            let error = GROUPINGS.resolve(&spec).unwrap_err().to_string();
            let said = format!("{}: {} = {}", entry.name, parameter.name, u64::MAX);
            assert!(error.contains(&said), "{error}");
        }
    }
    let refused = |text: &str, examples| {
        let grouping = GROUPINGS.build(&text.parse().unwrap(), context(GROUPS, None));
        let checked = grouping.map_err(|error| error.to_string());
        let checked = checked.and_then(|g| g.check(examples).map_err(|error| error.to_string()));
        checked.unwrap_err()
    };
    assert_eq!(
        refused("labels(k = 1)", 8),
        "grouping labels: k = 1, but the task has labels of 4 groups; leave k out"
    );
    assert_eq!(
        refused("noisy-labels(k = 3, share = 0.1)", 8),
        "grouping noisy-labels: k = 3, but the task has labels of 4 groups; leave k out"
    );
    for name in ["labels(k = 100000)", "random(k = 100000)"] {
        let error = refused(name, 1_001);
        let said = "100000 groups of a draw of 1001 examples have 100000 × 1001 memberships; 100000000 is the most";
        assert!(error.contains(said), "{error}");
    }
    assert!(refused("difficulty(k = 9)", 8).contains("9 groups were asked for"));
    for name in ["landmarks", "centroids", "sparse-atoms"] {
        let error = refused(&format!("{name}(k = 9, examples = 8)"), 1_000);
        let said =
            "9 groups were asked for, but there are 8 standing examples; give examples = 9 or more";
        assert!(error.contains(said), "{error}");
    }
    assert!(refused("each-example", 10_001).contains("100000000 is the most"));
}

/// What a wrapper's settings have to fit is known before the first draw.
#[test]
fn wrappers_are_checked_before_the_first_draw() {
    let refused = |wrapper: &str, inner: &str| {
        let inner = entries::grouping(&inner.parse().unwrap(), context(GROUPS, None));
        let wrapped = entries::wrapped(&wrapper.parse().unwrap(), context(GROUPS, None), inner);
        wrapped.check(8).unwrap_err().to_string()
    };
    assert_eq!(
        refused("priors(weights = [1, 2])", "labels"),
        "priors: 2 weights were given for 4 groups"
    );
    assert_eq!(
        refused("priors(weights = [1])", "spectral(k = 3)"),
        "priors: 1 weight was given for 3 groups"
    );
    for wrapper in ["priors(weights = [1, 2])", "damped"] {
        assert!(refused(wrapper, "singular-vectors").contains("the groups are signed"));
        let inner = entries::grouping(&"kmeans(k = 2)".parse().unwrap(), context(GROUPS, None));
        let tracked = entries::wrapped(&"tracked".parse().unwrap(), context(GROUPS, None), inner);
        assert!(tracked.keeps_identity());
        let wrapped = entries::wrapped(&wrapper.parse().unwrap(), context(GROUPS, None), tracked);
        // What goes by how long a group has been there follows identities; weights of groups can't.
        assert_eq!(wrapped.check(8).is_ok(), wrapper == "damped");
    }
    let said = refused("damped", "kmeans(k = 2)");
    assert!(said.contains("knows groups by their numbers"), "{said}");
    for inner in ["kmeans(k = 2)", "landmarks(k = eigengap)"] {
        let said = refused("priors(weights = [1, 2])", inner);
        assert!(
            said.contains("take a grouping with a fixed number of lasting groups"),
            "{said}"
        );
    }
    let inner = || entries::grouping(&Spec::new("labels"), context(GROUPS, None));
    let after = entries::wrapped(
        &"after(draws = 2)".parse().unwrap(),
        context(GROUPS, None),
        inner(),
    );
    assert_eq!(
        (inner().num_groups(8), after.num_groups(8)),
        (Some(4), None)
    );
}

/// A draw of planted groups, and its labels.
fn shown(model: &Itself, seed: u64) -> (Traced, Vec<Option<usize>>) {
    let (rows, labels) = planted(GROUPS, 12, 20, 3.0, true, seed);
    let losses: Vec<f32> = (0..rows.len()).map(|j| 1.0 + j as f32).collect();
    (model.draw(&rows, &losses), labels)
}

/// Three draws, the same draw standing before where examples are wanted.
fn groups(mut grouping: Box<dyn Grouping>) -> Vec<Groups> {
    let model = Itself::new(20);
    let draws = (0..3).map(|seed| {
        let (traced, labels) = shown(&model, seed);
        let draw = Draw::from(&traced).with_labels(&labels);
        if grouping.wants().is_some() {
            grouping.stand(&draw).expect("stands");
        }
        grouping.group(&draw).expect("groups")
    });
    draws.collect()
}

fn same(name: &str, one: Box<dyn Grouping>, other: Box<dyn Grouping>) {
    for (one, other) in groups(one).iter().zip(&groups(other)) {
        let numbers = |groups: &Groups| {
            let (membership, weights) = (groups.membership(), groups.weights());
            (common::numbers(membership), common::numbers(weights))
        };
        assert_eq!(numbers(one), numbers(other), "{name}");
        assert_eq!(one.assignment(), other.assignment(), "{name}");
        assert_eq!(one.identities(), other.identities(), "{name}");
    }
}

/// What is built by name is what the constructors give.
#[test]
fn defaults_are_those_of_the_constructors() {
    let (k, seed) = (GROUPS, 1);
    let found = HowMany::Eigengap;
    let metric = Metric::whitened;
    let by_hand: Vec<(&str, Box<dyn Grouping>)> = vec![
        ("one-group", Box::new(OneGroup)),
        ("each-example", Box::new(EachExample)),
        ("labels", Box::new(Labels::new(k))),
        (
            "noisy-labels(share = 0.3)",
            Box::new(NoisyLabels::new(k, 0.3, seed).unwrap()),
        ),
        (
            "merged-labels(k = 2)",
            Box::new(MergedLabels::new(k, 2, Merging::Remainder)),
        ),
        ("split-labels", Box::new(SplitLabels::new(k, 2, seed))),
        ("random", Box::new(RandomGroups::new(k, seed))),
        ("mistakes", Box::<Mistakes>::default()),
        ("kmeans", Box::new(KMeans::new(k, seed))),
        ("spherical", Box::new(SphericalKMeans::new(k, seed))),
        ("spectral", Box::new(Spectral::new(k, seed))),
        ("hdbscan", Box::new(Hdbscan::new(5).unwrap())),
        ("singular-vectors", Box::<SingularVectors>::default()),
        (
            "landmarks",
            Box::new(Landmarks::new(found, Metric::euclidean(), seed)),
        ),
        (
            "centroids",
            Box::new(Centroids::new(found, Metric::euclidean(), seed)),
        ),
        ("diffusion", Box::new(Diffusion::new())),
        (
            "sparse-atoms",
            Box::new(SparseAtoms::new(k, Metric::euclidean(), seed).unwrap()),
        ),
    ];
    let names = by_hand.iter().map(|(spec, _)| spec.split('(').next());
    let names: Vec<&str> = names.map(Option::unwrap_or_default).collect();
    // One that has a number of groups and no other setting has no defaults that could be others.
    for entry in GROUPINGS.iter().filter(|entry| entry.parameters.len() > 1) {
        assert!(
            names.contains(&entry.name),
            "{} is missing here",
            entry.name
        );
    }
    for (spec, by_hand) in by_hand {
        let built = entries::grouping(&spec.parse().unwrap(), context(k, None));
        same(spec, built, by_hand);
    }
    let in_a_metric: Vec<(&str, Box<dyn Grouping>)> = vec![
        (
            "kmeans",
            Box::new(InMetric::new(metric(), KMeans::new(k, seed))),
        ),
        ("landmarks", Box::new(Landmarks::new(found, metric(), seed))),
        ("centroids", Box::new(Centroids::new(found, metric(), seed))),
        (
            "diffusion",
            Box::new(Diffusion::new().with_metric(metric())),
        ),
        (
            "sparse-atoms",
            Box::new(SparseAtoms::new(k, metric(), seed).unwrap()),
        ),
        (
            "diffusion(examples = draw)",
            Box::new(InMetric::new(metric(), Diffusion::new().in_the_draw())),
        ),
        ("labels", Box::new(Labels::new(k))),
    ];
    for (spec, by_hand) in in_a_metric {
        let built = entries::grouping(&spec.parse().unwrap(), context(k, Some(metric())));
        same(spec, built, by_hand);
    }
    let random = || RandomGroups::new(k, seed);
    let weights = vec![1.0, 0.5, 2.0, 0.25];
    let wrappers: Vec<(&str, Box<dyn Grouping>)> = vec![
        (
            "priors(weights = [1, 0.5, 2, 0.25])",
            Box::new(Priors::new(random(), weights).unwrap()),
        ),
        ("damped", Box::new(Damped::new(random()))),
        ("tracked", Box::new(Tracked::new(random()))),
        ("after(draws = 2)", Box::new(After::new(2, random()))),
    ];
    let named = wrappers
        .iter()
        .map(|(spec, _)| spec.split('(').next().unwrap());
    assert_eq!(
        named.collect::<Vec<_>>(),
        WRAPPERS.names().collect::<Vec<_>>()
    );
    for (spec, by_hand) in wrappers {
        let inner = entries::grouping(&Spec::new("random"), context(k, None));
        let built = entries::wrapped(&spec.parse().unwrap(), context(k, None), inner);
        same(spec, built, by_hand);
    }
}

/// Settings other than the defaults reach the grouping.
#[test]
fn parameters_are_those_of_the_constructors() {
    let (k, seed) = (3, 1);
    let plain = Metric::euclidean;
    let rule = SplitMerge::new(0.5, 0.6).unwrap().with_patience(1).unwrap();
    let rule = rule.with_least_size(2).unwrap().with_at_most(8).unwrap();
    let by_hand: Vec<(&str, Box<dyn Grouping>)> = vec![
        (
            "merged-labels(k = 2, by = neighbours)",
            Box::new(MergedLabels::new(GROUPS, 2, Merging::Neighbours)),
        ),
        (
            "split-labels(parts = 3)",
            Box::new(SplitLabels::new(GROUPS, 3, seed)),
        ),
        (
            "kmeans(k = 3, dimensions = all, restarts = 1)",
            Box::new(
                KMeans::new(k, seed)
                    .with_dimensions(usize::MAX)
                    .unwrap()
                    .with_restarts(1)
                    .unwrap(),
            ),
        ),
        (
            "kmeans(k = silhouette, at_most = 6, least_size = 9)",
            Box::new(
                KMeans::new(HowMany::Silhouette, seed)
                    .with_at_most(6)
                    .unwrap()
                    .with_least_size(9),
            ),
        ),
        (
            "spherical(k = 3, sign = ignored, dimensions = 2)",
            Box::new(
                SphericalKMeans::new(k, seed)
                    .sign_free()
                    .with_dimensions(2)
                    .unwrap(),
            ),
        ),
        (
            "spectral(k = energy-90, similarity = angular, restarts = 2)",
            Box::new(
                Spectral::new(HowMany::Energy(0.9), seed)
                    .with_similarity(gradual_group::Similarity::Angular)
                    .with_restarts(2)
                    .unwrap(),
            ),
        ),
        (
            "hdbscan(least_size = 3, neighbours = 1)",
            Box::new(Hdbscan::new(3).unwrap().with_neighbours(1).unwrap()),
        ),
        (
            "singular-vectors(membership = squared, power = 1, average = mean)",
            Box::new(SingularVectors::squared().with_average(gradual_group::Average::Mean)),
        ),
        (
            "singular-vectors(membership = absolute, leading = 3)",
            Box::new(
                SingularVectors::default()
                    .with_membership(gradual_group::Membership::Absolute)
                    .with_leading(3)
                    .unwrap(),
            ),
        ),
        (
            "singular-vectors(sketch = 16)",
            Box::new(SingularVectors::default().with_sketch(16, seed).unwrap()),
        ),
        (
            "landmarks(k = 3, kept = 2, every = 1, refresh = 0.5, examples = 48)",
            Box::new(
                Landmarks::new(k, plain(), seed)
                    .with_kept(2)
                    .unwrap()
                    .with_every(1)
                    .unwrap()
                    .with_examples(48)
                    .unwrap()
                    .with_refresh(0.5)
                    .unwrap(),
            ),
        ),
        (
            "landmarks(k = 3, axes = 2, rank = 2, split_merge = true, split_below = 0.5, \
             merge_above = 0.6, patience = 1, least_part = 2, most_parts = 8, every = 1)",
            Box::new(
                Landmarks::new(k, plain(), seed)
                    .with_axes(2, 2)
                    .unwrap()
                    .with_every(1)
                    .unwrap()
                    .with_split_merge(rule),
            ),
        ),
        (
            "centroids(k = 3, clusters = spectral, every = 1, memory = 0.5, sketch = 64)",
            Box::new(
                Centroids::new(k, plain(), seed)
                    .spectral()
                    .with_every(1)
                    .unwrap()
                    .with_sketch(64, seed)
                    .unwrap()
                    .with_memory(0.5)
                    .unwrap(),
            ),
        ),
        (
            "centroids(k = known, clusters = axis, average = sum)",
            Box::new(
                Centroids::new(GROUPS, plain(), seed)
                    .sign_free()
                    .with_average(gradual_group::Average::Sum),
            ),
        ),
        (
            "sparse-atoms(k = 3, sparsity = 1, examples = 48, every = 1, directions = 4, rounds = 2)",
            Box::new(
                SparseAtoms::new(3, plain(), seed)
                    .unwrap()
                    .with_sparsity(1)
                    .unwrap()
                    .with_examples(48)
                    .unwrap()
                    .with_every(1)
                    .unwrap()
                    .with_directions(4)
                    .unwrap()
                    .with_rounds(2)
                    .unwrap(),
            ),
        ),
        (
            "diffusion(examples = 48, every = 1, rebuild = true, time = 2.5, power = 3)",
            Box::new(
                Diffusion::new()
                    .with_examples(48)
                    .unwrap()
                    .with_every(1)
                    .unwrap()
                    .with_rebuilding(true)
                    .with_time(2.5)
                    .unwrap()
                    .with_power(3.0)
                    .unwrap(),
            ),
        ),
        (
            "diffusion(examples = draw, neighbours = 3, density = 0.5, directions = 4)",
            Box::new(
                Diffusion::new()
                    .in_the_draw()
                    .with_neighbours(3)
                    .unwrap()
                    .with_density(0.5)
                    .unwrap()
                    .with_directions(4)
                    .unwrap(),
            ),
        ),
    ];
    for (spec, by_hand) in by_hand {
        let built = entries::grouping(&spec.parse().unwrap(), context(GROUPS, None));
        same(spec, built, by_hand);
    }
    let inner = || Box::new(Labels::new(GROUPS)) as Box<dyn Grouping>;
    let damped = Damped::new(inner())
        .with_patience(1)
        .unwrap()
        .with_memory(0.0);
    let damped = damped.and_then(|damped| damped.with_least_move(0.5));
    let damped = damped.and_then(|damped| damped.with_floor(0.25)).unwrap();
    let spec = "damped(memory = 0, patience = 1, least_move = 0.5, floor = 0.25)";
    let built = entries::wrapped(&spec.parse().unwrap(), context(GROUPS, None), inner());
    same(spec, built, Box::new(damped));
}
