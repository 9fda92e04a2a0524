//! A second opinion on draws of parities, which knows the inputs and the signs alone: by trying all sets of bits it finds
//! which one every capability is the parity of. It shares no code with the generator and doesn't know its masks.

/// An example as it is shown to a model.
pub(super) struct Seen {
    /// Which code is on.
    pub(super) code: usize,
    bits: Vec<bool>,
    positive: bool,
}

/// The examples of inputs `[n, codes + bits]`, row-major, with their signs.
pub(super) fn seen(inputs: &[f32], signs: &[f32], codes: usize) -> Vec<Seen> {
    let width = inputs.len() / signs.len();
    let mut all = Vec::new();
    for (example, sign) in signs.iter().enumerate() {
        let row = &inputs[example * width..(example + 1) * width];
        let on: Vec<usize> = (0..codes).filter(|&at| row[at] != 0.0).collect();
        assert_eq!(on.len(), 1, "one code is on");
        let bits = (codes..width).map(|at| match row[at] {
            1.0 => true,
            -1.0 => false,
            other => panic!("a bit is {other}"),
        });
        assert!(*sign == 1.0 || *sign == -1.0);
        all.push(Seen {
            code: on[0],
            bits: bits.collect(),
            positive: *sign > 0.0,
        });
    }
    all
}

/// The one set of bits whose parity is the sign of each of these examples, in order.
pub(super) fn bits_of(examples: &[&Seen]) -> Vec<usize> {
    let bits = examples[0].bits.len();
    let mut found = Vec::new();
    for set in 0..1usize << bits {
        let members: Vec<usize> = (0..bits)
            .filter(|&bit| set / 2usize.pow(bit as u32) % 2 == 1)
            .collect();
        let explains = examples.iter().all(|example| {
            let mut odd = false;
            for &bit in &members {
                if example.bits[bit] {
                    odd = !odd;
                }
            }
            odd == example.positive
        });
        if explains {
            found.push(members);
        }
    }
    assert_eq!(
        found.len(),
        1,
        "{found:?} explain {} examples",
        examples.len()
    );
    found.remove(0)
}

/// Whether `count` of `n` is what a share of p gives, up to five standard deviations.
pub(super) fn is_share(count: usize, n: usize, p: f64) -> bool {
    let n = n as f64;
    (count as f64 - n * p).abs() <= 5.0 * (n * p * (1.0 - p)).sqrt() + 1e-9
}

/// How often each code is on.
pub(super) fn counts(examples: &[Seen], codes: usize) -> Vec<usize> {
    (0..codes)
        .map(|code| {
            examples
                .iter()
                .filter(|example| example.code == code)
                .count()
        })
        .collect()
}

/// Of these examples, those whose answer is "odd": a guess that is right in half of the cases or is none.
pub(super) fn odd(examples: &[&Seen]) -> usize {
    examples.iter().filter(|example| example.positive).count()
}
