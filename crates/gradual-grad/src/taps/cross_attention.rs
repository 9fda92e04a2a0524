//! Cross-attention: four linear layers that only Burn can reach, around a softmax.

use std::any::Any;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::Linear;
use burn::nn::attention::CrossAttention;
use burn::tensor::{Bool, Tensor};

use crate::taps::tap::Tap;
use crate::taps::tap::traced;

/// Query `[n, t, d_model]`, context `[n, s, d_context]` and the positions `[n, s]` of the context that are masked
/// (true) → `[n, t, d_model]`. Its four linear layers are tapped; dropout draws one mask for the pass.
///
/// The fields of the layer are private. So a trace finds its parameters by name, by visiting the module, applies the
/// linear layers itself, and leaves the rest to a copy of the layer whose projections are identities.
impl Tap<(Tensor<3>, Tensor<3>, Option<Tensor<2, Bool>>)> for CrossAttention {
    type Output = Tensor<3>;

    fn tap(&self, input: (Tensor<3>, Tensor<3>, Option<Tensor<2, Bool>>)) -> Tensor<3> {
        let (query, context, mask) = input;
        let empty = query.dims().contains(&0) || context.dims().contains(&0);
        let layers = (!empty && traced(self)).then(|| Layers::of(self));
        let Some([q, k, v, output]) = layers.and_then(Layers::all) else {
            return self.forward(query, context, mask);
        };
        let query = q.tap(query);
        let [key, value] = [k.tap(context.clone()), v.tap(context)];
        let mut core = Core {
            path: Vec::new(),
            queries: query.dims()[2],
            keys: key.dims()[2],
            values: value.dims()[2],
        };
        let core = self.clone().map(&mut core);
        let both = Tensor::cat(vec![key, value], 2);
        output.tap(core.forward(query, both, mask))
    }
}

/// The linear layers of a cross-attention, as far as a visit has met them.
#[derive(Default)]
struct Layers {
    path: Vec<String>,
    found: Vec<(String, Linear)>,
}

impl Layers {
    fn of(layer: &CrossAttention) -> Self {
        let mut layers = Self::default();
        layer.visit(&mut layers);
        layers
    }

    /// Query, key, value and output.
    fn all(self) -> Option<[Linear; 4]> {
        let at = |name: &str| {
            let mut found = self.found.iter();
            found.find_map(|(known, layer)| (known == name).then(|| layer.clone()))
        };
        Some([at("query")?, at("key")?, at("value")?, at("output")?])
    }
}

impl ModuleVisitor for Layers {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let [layer, name] = self.path.as_slice() else {
            return;
        };
        let any: &dyn Any = param;
        match (name.as_str(), self.found.last_mut()) {
            ("weight", _) => {
                if let Some(weight) = any.downcast_ref::<Param<Tensor<2>>>() {
                    let weight = weight.clone();
                    self.found
                        .push((layer.clone(), Linear { weight, bias: None }));
                }
            }
            ("bias", Some((known, linear))) if known == layer => {
                linear.bias = any.downcast_ref::<Param<Tensor<1>>>().cloned();
            }
            _ => {}
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}

/// Replaces the projections: queries are as they are, keys and values are the two parts of the context, and what
/// attention yields is not mapped.
struct Core {
    path: Vec<String>,
    queries: usize,
    keys: usize,
    values: usize,
}

impl Core {
    fn value<const D: usize>(&self, old: Tensor<D>) -> Tensor<D> {
        let (device, dtype) = (old.device(), old.dtype());
        let (queries, keys, values) = (self.queries, self.keys, self.values);
        let eye = |width: usize| Tensor::<2>::eye(width, &device).cast(dtype);
        let zeros = |rows, columns| Tensor::<2>::zeros([rows, columns], (&device, dtype));
        let [layer, name] = self.path.as_slice() else {
            return old;
        };
        let weight = match (layer.as_str(), name.as_str()) {
            ("query" | "output", "weight") => eye(queries),
            ("key", "weight") => Tensor::cat(vec![eye(keys), zeros(values, keys)], 0),
            ("value", "weight") => Tensor::cat(vec![zeros(keys, values), eye(values)], 0),
            ("output", _) => return Tensor::<1>::zeros([queries], (&device, dtype)).unsqueeze(),
            _ => return old.zeros_like(),
        };
        weight.unsqueeze()
    }
}

impl ModuleMapper for Core {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::initialized(ParamId::new(), self.value(param.val().inner()))
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
