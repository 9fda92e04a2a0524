//! What a model has learned of a parity before its accuracy shows it.

/// The share of a task's own parity in the model's output: the Fourier coefficient E[f χ_S] over the root
/// mean square of the output f, 0 to 1, from margins f χ_S. It rises with what the model has learned of
/// the parity while the accuracy may still be that of guessing (after Barak et al. 2022, "Hidden Progress
/// in Deep Learning"). With m held-out examples noise alone gives about 0.4/√m.
pub(super) fn fourier(margins: &[f64]) -> f64 {
    let n = margins.len().max(1) as f64;
    let mean = margins.iter().sum::<f64>() / n;
    let power = margins.iter().map(|margin| margin * margin).sum::<f64>() / n;
    match power > 0.0 {
        true => (mean / power.sqrt()).clamp(0.0, 1.0),
        false => 0.0,
    }
}
