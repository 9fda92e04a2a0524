//! Models by their shapes.

use anyhow::bail;
use clap::Args;
use serde::Serialize;

/// The most of any size: products of them stay far below what a 64-bit float counts exactly.
const MOST: u64 = 10_000_000;

/// A layer with a weight matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Layer {
    /// Its inputs d and outputs e.
    pub(super) inputs: u64,
    pub(super) outputs: u64,
    /// How many there are of it.
    pub(super) count: u64,
    /// Whether it has a bias.
    pub(super) bias: bool,
    /// Whether inputs are numbers of rows, as of an embedding, which is read and not multiplied.
    pub(super) look_up: bool,
}

/// A model as a step sees it: layers, and positions of an example.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Model {
    pub(super) layers: Vec<Layer>,
    /// Positions t of an example at which layers are applied: 1 for a multilayer perceptron, the context for a decoder.
    pub(super) positions: u64,
    /// Operations of a forward pass over an example beside those of layers: attention.
    pub(super) attention: f64,
    /// Numbers that stay for the backward pass of an example, beside the inputs of layers.
    pub(super) kept: f64,
}

/// The shape of a decoder.
#[derive(Debug, Clone, Args)]
pub(super) struct Shape {
    /// Blocks [default: those of --model]
    #[arg(long, value_name = "L", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    blocks: Option<u64>,
    /// Width of the residual stream
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    width: Option<u64>,
    /// Width of the hidden layer of a block's network, which has a gate
    #[arg(long, value_name = "F", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    hidden: Option<u64>,
    /// Tokens of the vocabulary
    #[arg(long, value_name = "V", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    vocabulary: Option<u64>,
    /// Positions of an example
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    context: Option<u64>,
}

/// Decoders by name: blocks, width, hidden width, vocabulary, context. `7b` has the shapes of LLaMA 7B (Touvron et al. 2023,
/// arXiv 2302.13971), the smaller ones have its proportions.
const NAMED: [(&str, [u64; 5]); 3] = [
    ("100m", [12, 768, 2_048, 32_000, 1_024]),
    ("1b", [22, 2_048, 5_632, 32_000, 2_048]),
    ("7b", [32, 4_096, 11_008, 32_000, 2_048]),
];

impl Shape {
    /// The decoder called `name`, with whatever sizes are given in the place of its own.
    pub(super) fn model(&self, name: &str) -> anyhow::Result<Model> {
        let Some((_, usual)) = NAMED.iter().find(|(known, _)| *known == name) else {
            let names = NAMED.map(|(name, _)| name);
            bail!("--model {name}: expected one of {}", names.join(", "));
        };
        let given = [
            self.blocks,
            self.width,
            self.hidden,
            self.vocabulary,
            self.context,
        ];
        let [blocks, width, hidden, vocabulary, context] =
            std::array::from_fn(|at| given[at].unwrap_or(usual[at]));
        Ok(Model::decoder(blocks, width, hidden, vocabulary, context))
    }
}

impl Model {
    /// A decoder whose blocks have four square matrices of attention and a network with a gate, no biases, and a read-out of its own.
    fn decoder(blocks: u64, width: u64, hidden: u64, vocabulary: u64, context: u64) -> Self {
        let layer = |inputs, outputs, count| Layer {
            inputs,
            outputs,
            count,
            bias: false,
            look_up: false,
        };
        let embedding = Layer {
            look_up: true,
            ..layer(vocabulary, width, 1)
        };
        let [t, d, l] = [context, width, blocks].map(|size| size as f64);
        Self {
            layers: vec![
                embedding,
                layer(width, width, 4 * blocks),
                layer(width, hidden, 2 * blocks),
                layer(hidden, width, blocks),
                layer(width, vocabulary, 1),
            ],
            positions: context,
            // Queries with keys and weights with values, of which a mask leaves half.
            attention: 2.0 * l * t * t * d,
            // Inputs of norms, queries, keys and values, and both factors of the gate: 5 D + 2 F at a position of a block; less
            // 3 D, as queries, keys and values are of one input, and the gate's factors of another.
            kept: l * t * (2.0 * d + 2.0 * hidden as f64),
        }
    }

    /// A perceptron with these widths and biases.
    #[cfg(test)]
    pub(super) fn perceptron(widths: &[u64]) -> Self {
        let layers = widths.windows(2).map(|two| Layer {
            inputs: two[0],
            outputs: two[1],
            count: 1,
            bias: true,
            look_up: false,
        });
        Self {
            layers: layers.collect(),
            positions: 1,
            attention: 0.0,
            kept: 0.0,
        }
    }

    /// P.
    pub(super) fn parameters(&self) -> f64 {
        self.sum(|layer| layer.inputs as f64 * layer.outputs as f64 + layer.biases())
    }

    /// Parameter arrays.
    pub(super) fn arrays(&self) -> f64 {
        self.sum(|layer| if layer.bias { 2.0 } else { 1.0 })
    }

    /// Σ d e over the layers that multiply.
    pub(super) fn products(&self) -> f64 {
        self.sum(|layer| match layer.look_up {
            true => 0.0,
            false => layer.inputs as f64 * layer.outputs as f64,
        })
    }

    /// Σ (d + e) at a position: an embedding keeps the row's number and e.
    pub(super) fn sides(&self) -> f64 {
        self.sum(|layer| match layer.look_up {
            true => 1.0 + layer.outputs as f64,
            false => (layer.inputs + layer.outputs) as f64,
        })
    }

    /// Σ e: what the factors of biases add, which are one vector for an example.
    pub(super) fn biases(&self) -> f64 {
        self.sum(Layer::biases)
    }

    /// Σ over layers.
    pub(super) fn sum(&self, of: impl Fn(&Layer) -> f64) -> f64 {
        let each = self.layers.iter();
        each.map(|layer| layer.count as f64 * of(layer)).sum()
    }
}

impl Layer {
    fn biases(&self) -> f64 {
        if self.bias { self.outputs as f64 } else { 0.0 }
    }
}
