//! How near numbers are to each other.

/// Whether numbers are the same to a share of the largest.
pub(crate) fn near_to(share: f32, one: &[f32], other: &[f32]) -> bool {
    let largest = one
        .iter()
        .fold(0.0, |most: f32, value| most.max(value.abs()));
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a == b || (a - b).abs() <= share * largest)
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
