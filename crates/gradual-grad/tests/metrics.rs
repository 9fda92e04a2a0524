//! Every metric of the registry.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual_grad::registry::METRICS;
use gradual_grad::{ExampleGradients, GradError, Metric, Part, Tap, Whitening, trace};
use gradual_registry::{Spec, Value};

use crate::common::{close, device, double, filled, numbers, squares};

#[derive(Module, Debug)]
struct Net {
    words: Embedding,
    readout: Linear,
}

fn gradients(shift: usize) -> ExampleGradients {
    let device = device();
    let net = double(filled(Net {
        words: EmbeddingConfig::new(5, 3).init(&device),
        readout: LinearConfig::new(3, 2).init(&device),
    }));
    let words: Vec<i64> = (0..12).map(|at| ((at * at + shift) % 5) as i64).collect();
    let words = Tensor::<2, Int>::from_data(TensorData::new(words, [6, 2]), &device);
    let losses = |m: &Net| squares(m.readout.tap(m.words.tap(words).tanh()));
    trace(&net, losses).expect("covered").gradients
}

fn built(spec: &Spec) -> Metric {
    METRICS.build(spec, Vec::new()).expect("a metric")
}

/// The Gram matrix after two draws, which are the same for equal metrics.
fn gram(mut metric: Metric) -> Tensor<2> {
    metric.observe(&gradients(0)).expect("finite");
    metric.observe(&gradients(1)).expect("finite");
    metric.gram(&gradients(1)).expect("observed")
}

#[test]
fn every_metric_works_at_its_defaults() {
    for entry in METRICS.iter() {
        let spec = METRICS.resolve(&Spec::new(entry.name)).expect("defaults");
        assert_eq!(spec.parameters.len(), entry.parameters.len());
        assert!(!entry.about.ends_with('.'));
        let gram = gram(built(&spec));
        assert_eq!(gram.dims(), [6, 6]);
        let entries = numbers(gram);
        assert!(
            entries.iter().all(|entry| entry.is_finite()),
            "{}",
            entry.name
        );
        assert!(entries.iter().any(|&entry| entry != 0.0), "{}", entry.name);

        // What it has observed is written down and taken up by another one.
        let mut metric = built(&spec);
        metric.observe(&gradients(0)).expect("finite");
        let mut other = built(&spec);
        let record = metric.record().expect("readable");
        other.restore(&record, &Device::flex()).expect("its own");
        let grams = [&metric, &other].map(|metric| metric.gram(&gradients(0)).expect("observed"));
        assert_eq!(numbers(grams[0].clone()), numbers(grams[1].clone()));

        // The layers are those of the context.
        let looking = METRICS
            .build(&spec, vec![String::from("readout.*")])
            .expect("a metric");
        let seen = {
            let mut looking = looking;
            looking.observe(&gradients(0)).expect("finite");
            let applied = looking.apply(&gradients(0)).expect("observed");
            applied.paths().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(seen, ["readout.weight", "readout.bias"]);
        let error = METRICS
            .build(&spec, vec![String::from("[")])
            .expect_err("no glob");
        assert!(error.to_string().contains(entry.name), "{error}");
    }
}

#[test]
fn defaults_are_those_of_the_type() {
    let spec = |text: &str| text.parse::<Spec>().expect("a spec");
    let kronecker = Whitening::Kronecker { damping: 0.1 };
    for (name, metric) in [
        ("euclidean", Metric::euclidean()),
        ("unit", Metric::euclidean().balanced(true)),
        ("whitened", Metric::whitened()),
        ("kronecker", Metric::whitened().with_whitening(kronecker)),
        (
            "whitened(part = inputs)",
            Metric::whitened().with_part(Part::Inputs),
        ),
        (
            "kronecker(part = output-gradients, memory = 0.5)",
            Metric::whitened()
                .with_whitening(kronecker)
                .with_part(Part::OutputGradients)
                .with_memory(0.5)
                .expect("a memory"),
        ),
    ] {
        let found = numbers(gram(built(&spec(name))));
        assert_eq!(found, numbers(gram(metric)), "{name}");
    }
}

/// Every parameter does something, and refuses what it can't be.
#[test]
fn every_parameter_counts() {
    for entry in METRICS.iter() {
        // In which all parameters matter.
        let base = match entry.name {
            "euclidean" => "euclidean(balanced = true)"
                .parse::<Spec>()
                .expect("a spec"),
            name => Spec::new(name),
        };
        let alone = base;
        for parameter in entry.parameters {
            let base = match parameter.beside() {
                Some((other, needed)) => alone.clone().with(other, needed),
                None => alone.clone(),
            };
            let before = gram(built(&base));
            for value in parameter.refused() {
                let mut spec = base.clone();
                spec.parameters.insert(parameter.name.to_owned(), value);
                let error = METRICS.build(&spec, Vec::new()).expect_err("refused");
                assert!(error.to_string().contains(parameter.name), "{error}");
            }
            // The ends of its range are safe, whether there is a metric there or not.
            for value in parameter.extremes() {
                let spec = base.clone().with(parameter.name, value);
                let mut metric = METRICS.build(&spec, Vec::new()).expect("within the bounds");
                let seen = gradients(0);
                if metric.observe(&seen).is_ok() {
                    let _ = metric.apply(&seen);
                }
            }
            let other = match METRICS.resolve(&base).expect("known").parameters[parameter.name] {
                Value::Number(number) => Value::Number(number / 2.0),
                Value::Flag(flag) => Value::Flag(!flag),
                Value::Word(_) => Value::Word(String::from("output-gradients")),
                ref other => panic!("no other value for {other}"),
            };
            let mut spec = base.clone();
            spec.parameters.insert(parameter.name.to_owned(), other);
            let (found, before) = (numbers(gram(built(&spec))), numbers(before.clone()));
            assert_ne!(found, before, "{}: {}", entry.name, parameter.name);
        }
    }
}

#[test]
fn settings_that_make_no_sense_are_errors() {
    let g = gradients(0);
    let all = Tensor::<2>::ones([1, 6], &device()).cast(burn::tensor::DType::F64);
    let error = g.condense(&all, 0).expect_err("no pairs");
    assert!(
        matches!(error, GradError::Setting { name: "rank", .. }),
        "{error}"
    );
    assert_eq!(g.sketch(0, 1).dims(), [6, 0]);
    for memory in [-0.1, 1.1, f64::NAN] {
        let error = Metric::whitened()
            .with_memory(memory)
            .expect_err("no memory");
        assert!(
            matches!(error, GradError::Setting { name: "memory", .. }),
            "{error}"
        );
    }
    for damping in [-0.1, f64::NAN, f64::INFINITY] {
        let mut metric = Metric::whitened().with_whitening(Whitening::Kronecker { damping });
        let error = metric.observe(&gradients(0)).expect_err("no damping");
        assert!(
            matches!(
                error,
                GradError::Setting {
                    name: "damping",
                    ..
                }
            ),
            "{error}"
        );
        close(
            "unchanged",
            gram(Metric::euclidean()),
            gradients(1).gram(),
            1e-12,
        );
    }
}
