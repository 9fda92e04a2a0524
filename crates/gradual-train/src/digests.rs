//! What tells two models apart without all of their numbers.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use gradual_grad::host;

use crate::error::TrainError;

/// FNV-1a, number by number.
pub(crate) fn fnv(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let numbers = numbers.into_iter();
    numbers.fold(0xcbf2_9ce4_8422_2325, |digest: u64, number| {
        (digest ^ number).wrapping_mul(0x0100_0000_01b3)
    })
}

/// What the float parameters of a model hold, path by path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digests(Vec<(String, u64)>);

impl Digests {
    /// Waits for the device at every parameter.
    pub(crate) fn of<M: Module>(model: &M) -> Result<Self, TrainError> {
        let mut reader = Reader {
            path: Vec::new(),
            read: Ok(Vec::new()),
        };
        model.visit(&mut reader);
        reader.read.map(Self).map_err(|problem| TrainError::Read {
            operation: "weights",
            problem,
        })
    }

    /// The first parameter that is not the same.
    pub(crate) fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let longer = match self.0.len() < other.0.len() {
            true => other,
            false => self,
        };
        let pairs = self.0.iter().zip(&other.0);
        let differs = pairs.clone().position(|(one, other)| one != other);
        let at = differs.or_else(|| longer.0.get(pairs.len()).map(|_| pairs.len()));
        at.map(|at| longer.0[at].0.as_str())
    }

    /// Paths and digests, in the order of the model.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(path, digest)| (path.as_str(), *digest))
    }

    /// One digest of all.
    pub(crate) fn whole(&self) -> u64 {
        fnv(self.0.iter().map(|(_, digest)| *digest))
    }
}

struct Reader {
    path: Vec<String>,
    read: Result<Vec<(String, u64)>, String>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(digests) = &mut self.read else {
            return;
        };
        match host::read::<f64, D>(param.val()) {
            Err(problem) => self.read = Err(problem),
            Ok(values) => {
                let digest = fnv(values.iter().map(|value| value.to_bits()));
                digests.push((self.path.join("."), digest));
            }
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
