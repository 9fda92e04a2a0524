//! What is computed from one trace.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use gradual::grad::registry::METRICS;
use gradual::grad::{ExampleGradients, naive_rows, trace};
use gradual_tasks::Decoder;

use crate::models::{EXAMPLES, Net, Subject};
use crate::numbers::Numbers;
use crate::numbers::{host, uniform};
use crate::settings::specs;

/// Losses, and rows of G from one trace and example by example.
pub(crate) fn gradients(device: &Device) -> anyhow::Result<Numbers> {
    fn of<M: Subject>(device: &Device, numbers: &mut Numbers) -> anyhow::Result<()> {
        let model = M::fresh(&device.clone().autodiff());
        let traced = trace(&model, Subject::losses)?;
        let naive = naive_rows(&model, Subject::losses);
        for (what, values) in [
            ("losses", host(traced.losses)?),
            ("rows", host(traced.gradients.rows())?),
            ("rows one by one", host(naive)?),
        ] {
            numbers.insert(format!("{} {what}", M::NAME), values);
        }
        Ok(())
    }
    let mut numbers = Numbers::new();
    of::<Decoder>(device, &mut numbers)?;
    of::<Net>(device, &mut numbers)?;
    Ok(numbers)
}

/// Inner products, in every metric of the registry.
pub(crate) fn gram(device: &Device) -> anyhow::Result<Numbers> {
    both(device, |name, g, numbers| {
        let mut add = |what: &str, values| numbers.insert(format!("{name} {what}"), values);
        add("gram", host(g.gram())?);
        add("norms", host(g.norms())?);
        add("cosine", host(g.cosine())?);
        add("cross", host(g.cross_gram(&g.choose(&[3, 1])?)?)?);
        for spec in specs(&METRICS, &[])? {
            // The biases of keys have no gradient but rounding, which whitening would make as large as all else.
            let mut metric = METRICS.build(&spec, vec![String::from("*weight")])?;
            metric.observe(g)?;
            add(&format!("in {spec}"), host(metric.gram(g)?)?);
        }
        Ok(())
    })
}

/// Weighted sums.
pub(crate) fn combine(device: &Device) -> anyhow::Result<Numbers> {
    fn of<M: Subject>(device: &Device, numbers: &mut Numbers) -> anyhow::Result<()> {
        let model = M::fresh(&device.clone().autodiff());
        let g = trace(&model, Subject::losses)?.gradients;
        let one = g.combine(&uniform([EXAMPLES], 200, device))?;
        read(&model, &one, &format!("{} one", M::NAME), numbers)?;
        let many = g.combine_many(&uniform([3, EXAMPLES], 201, device))?;
        for (at, update) in many.iter().enumerate() {
            read(&model, update, &format!("{} {at} of 3", M::NAME), numbers)?;
        }
        Ok(())
    }
    let mut numbers = Numbers::new();
    of::<Decoder>(device, &mut numbers)?;
    of::<Net>(device, &mut numbers)?;
    Ok(numbers)
}

/// Random projections, whose signs come from a seed.
pub(crate) fn sketch(device: &Device) -> anyhow::Result<Numbers> {
    both(device, |name, g, numbers| {
        numbers.insert(format!("{name} sketch"), host(g.sketch(64, 3))?);
        numbers.insert(format!("{name} gram"), host(g.sketch_gram(64, 3))?);
        Ok(())
    })
}

/// Something of the gradients of both models.
fn both(
    device: &Device,
    numbers_of: impl Fn(&str, &ExampleGradients, &mut Numbers) -> anyhow::Result<()>,
) -> anyhow::Result<Numbers> {
    let device = device.clone().autodiff();
    let mut numbers = Numbers::new();
    let decoder = trace(&Decoder::fresh(&device), Subject::losses)?.gradients;
    numbers_of(Decoder::NAME, &decoder, &mut numbers)?;
    let net = trace(&Net::fresh(&device), Subject::losses)?.gradients;
    numbers_of(Net::NAME, &net, &mut numbers)?;
    Ok(numbers)
}

/// The gradients in `update`, by the path of their parameter.
fn read<M: Module>(
    model: &M,
    update: &GradientsParams,
    name: &str,
    numbers: &mut Numbers,
) -> anyhow::Result<()> {
    struct Read<'a> {
        update: &'a GradientsParams,
        path: Vec<String>,
        read: Vec<(String, anyhow::Result<Vec<f64>>)>,
    }
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.update.get::<D>(param.id) {
                self.read.push((self.path.join("."), host(gradient)));
            }
        }
        fn enter_module(&mut self, name: &str, _container_type: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container_type: &str) {
            self.path.pop();
        }
    }
    let mut reader = Read {
        update,
        path: Vec::new(),
        read: Vec::new(),
    };
    model.visit(&mut reader);
    for (path, values) in reader.read {
        numbers.insert(format!("{name}: {path}"), values?);
    }
    Ok(())
}
