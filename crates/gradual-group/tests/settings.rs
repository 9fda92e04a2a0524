//! A setting out of its range is refused by the method that sets it, which names the setting and the range.

use gradual_grad::Metric;
use gradual_group::{
    Centroids, Damped, GroupError, Hdbscan, KMeans, Labels, Landmarks, NoisyLabels, Priors,
    SingularVectors, Spectral, SphericalKMeans, SplitMerge,
};

#[test]
fn settings_out_of_range_are_named() {
    let kmeans = || KMeans::new(3, 0);
    let spherical = || SphericalKMeans::new(3, 0);
    let spectral = || Spectral::new(3, 0);
    let landmarks = || Landmarks::new(3, Metric::euclidean(), 0);
    let centroids = || Centroids::new(3, Metric::euclidean(), 0);
    let singular = SingularVectors::default;
    let damped = || Damped::new(Labels::new(3));
    let rule = SplitMerge::default;
    let refused: [(Result<(), GroupError>, &str); 31] = [
        (
            kmeans().with_at_most(0).map(drop),
            "k-means: the most groups must be at least 1",
        ),
        (
            kmeans().with_dimensions(0).map(drop),
            "k-means: the number of dimensions must be at least 1",
        ),
        (
            kmeans().with_restarts(0).map(drop),
            "k-means: the number of runs must be at least 1",
        ),
        (
            spherical().with_at_most(0).map(drop),
            "spherical k-means: the most groups",
        ),
        (
            spherical().with_dimensions(0).map(drop),
            "spherical k-means: the number of dimensions",
        ),
        (
            spherical().with_restarts(0).map(drop),
            "spherical k-means: the number of runs",
        ),
        (
            spectral().with_at_most(0).map(drop),
            "spectral: the most groups",
        ),
        (
            spectral().with_restarts(0).map(drop),
            "spectral: the number of runs",
        ),
        (
            landmarks().with_examples(0).map(drop),
            "landmarks: the number of examples",
        ),
        (
            landmarks().with_kept(0).map(drop),
            "landmarks: the number of landmarks kept",
        ),
        (
            landmarks().with_axes(0, 1).map(drop),
            "landmarks: the number of axes",
        ),
        (
            landmarks().with_axes(1, 0).map(drop),
            "landmarks: the rank of an axis",
        ),
        (
            landmarks().with_every(0).map(drop),
            "landmarks: the number of draws until",
        ),
        (
            landmarks().with_refresh(1.5).map(drop),
            "landmarks: the share must be from 0 to 1, got 1.5",
        ),
        (
            centroids().with_at_most(0).map(drop),
            "centroids: the most groups",
        ),
        (
            centroids().with_restarts(0).map(drop),
            "centroids: the number of runs",
        ),
        (
            centroids().with_examples(0).map(drop),
            "centroids: the number of examples",
        ),
        (
            centroids().with_every(0).map(drop),
            "centroids: the number of draws until",
        ),
        (
            centroids().with_memory(-0.1).map(drop),
            "centroids: the memory must be from 0 to 1, got -0.1",
        ),
        (
            centroids().with_sketch(0, 1).map(drop),
            "centroids: the dimensions of the sketch",
        ),
        (
            singular().with_sketch(0, 1).map(drop),
            "singular vectors: the dimensions of the sketch",
        ),
        (
            singular().with_leading(0).map(drop),
            "singular vectors: the number of leading directions",
        ),
        (
            Hdbscan::new(1).map(drop),
            "hdbscan: the least size must be at least 2, got 1",
        ),
        (
            Hdbscan::new(2).and_then(|h| h.with_neighbours(0)).map(drop),
            "hdbscan: the number of neighbours",
        ),
        (
            NoisyLabels::new(2, f64::NAN, 0).map(drop),
            "noisy labels: the share must be from 0 to 1, got NaN",
        ),
        (
            Priors::new(Labels::new(1), vec![-1.0]).map(drop),
            "priors: that of group 0",
        ),
        (
            damped().with_memory(1.0).map(drop),
            "damped groups: the memory must be from 0 to below 1, got 1",
        ),
        (
            damped().with_patience(0).map(drop),
            "damped groups: the patience must be at least 1",
        ),
        (
            rule().with_patience(0).map(drop),
            "split and merge: the patience must be at least 1",
        ),
        (
            rule().with_least_size(1).map(drop),
            "split and merge: the least size must be at least 2",
        ),
        (
            rule().with_at_most(0).map(drop),
            "split and merge: the most groups must be at least 1",
        ),
    ];
    for (result, message) in refused {
        let error = result.expect_err(message).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
