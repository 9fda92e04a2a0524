//! How gradients lie to each other: inner products, norms, cosines.

use burn::tensor::{DType, Tensor};

use super::ExampleGradients;
use super::factor::Factor;
use super::factor::products::Route;
use super::factor::rescale::{exponent, power};
use super::parameter::ParameterGradients;
use super::products::{Products, Span};
use crate::error::GradError;
use crate::precision::widest;

impl ExampleGradients {
    /// The Gram matrix K = G Gᵀ, `[n, n]`.
    ///
    /// Of a weight `[d, e]` used at one position per example: (X Xᵀ) ∘ (Δ Δᵀ), about n²(d + e)
    /// operations (Goodfellow 2015, arXiv 1510.01799, for its diagonal). At t positions: the cheaper
    /// by counted operations of the ghost product, n²t²(d + e) (Li et al. 2022, arXiv 2110.05679),
    /// and the n per-example matrices, n d e (t + n). Only the upper triangle is computed. For an embedding with many
    /// positions only those of equal index are multiplied, in about n t e memory; for this its indices are read from
    /// the device, once per draw.
    ///
    /// Every parameter's part is computed in the parameter's own precision, half precision in single. The sum has the
    /// widest of these precisions, whatever that of the losses, as have norms, cosines, sketches and
    /// [`rows`](Self::rows).
    pub fn gram(&self) -> Tensor<2> {
        let n = self.num_examples();
        match self.products(self, Span::Upper, self.precision()) {
            Some(products) => products.full(),
            None => self.nothing([n, n]),
        }
    }

    /// Inner products of the gradients of this draw with those of another under the same model,
    /// `[n, m]`.
    ///
    /// # Errors
    ///
    /// [`GradError::Parameters`] unless both draws have the same parameters.
    pub fn cross_gram(&self, other: &Self) -> Result<Tensor<2>, GradError> {
        self.same_parameters("cross_gram", other)?;
        let (n, m) = (self.num_examples(), other.num_examples());
        let precision = widest(self.precision(), other.precision());
        Ok(match self.products(other, Span::Full, precision) {
            Some(products) => products.full(),
            None => self.nothing([n, m]).cast(precision),
        })
    }

    /// Cosines of the angles between gradients, `[n, n]`. The cosine with a zero gradient is 0. Gradients of any size
    /// have them: they are [brought into range](Self::in_range) before anything is squared.
    pub fn cosine(&self) -> Tensor<2> {
        let n = self.num_examples();
        let (in_range, _) = self.in_range();
        let gram = in_range.gram();
        let norms = in_range.norms();
        let zero = norms.clone().equal_elem(0.0);
        let inverse = norms.recip().mask_fill(zero, 0.0);
        gram * inverse.clone().reshape([n, 1]) * inverse.reshape([1, n])
    }

    /// The Gram matrix of each parameter alone, with its path. They add up to
    /// [`gram`](Self::gram).
    pub fn per_parameter(&self) -> Vec<(String, Tensor<2>)> {
        let n = self.num_examples();
        let gram = |each: &ParameterGradients| match each.wide() {
            Some(factor) => {
                let products = factor.products(&factor, Span::Upper).full();
                products.cast(self.precision())
            }
            None => self.nothing([n, n]),
        };
        self.parameters
            .iter()
            .map(|each| (each.parameter.path.clone(), gram(each)))
            .collect()
    }

    /// Norms ‖∇ℓ_j‖, `[n]`, without the Gram matrix. Of squares: for norms out of their range see
    /// [`in_range`](Self::in_range).
    pub fn norms(&self) -> Tensor<1> {
        let precision = self.precision();
        let factors = self.parameters.iter().filter_map(ParameterGradients::wide);
        let norms = factors
            .map(|factor| factor.squared_norms().cast(precision))
            .reduce(|sum, norms| sum + norms);
        norms.map_or_else(|| self.nothing([self.num_examples()]), Tensor::sqrt)
    }

    /// The same gradients divided by one number, which comes with them, `[1]`: a power of two, 1 where the largest
    /// entry is about 2⁻¹⁶ to 2¹⁶.
    ///
    /// Single precision holds squares of 1e-19 to 1e19 alone, so gradients of 1e20 have infinite norms and a Gram
    /// matrix of infinities, and those of 1e-20 have zeros. Divided by a power of two they are the same but for their
    /// exponents, and as similar to each other. For similarities; an update should come of the gradients themselves.
    pub fn in_range(&self) -> (Self, Tensor<1>) {
        let precision = self.precision();
        let factors = self.parameters.iter().filter_map(ParameterGradients::wide);
        let largest = factors.map(|factor| factor.largest().cast(precision));
        let Some(largest) = largest.reduce(Tensor::max_pair) else {
            return (self.clone(), self.nothing([1]).add_scalar(1.0));
        };
        let by = exponent(largest);
        let mut scaled = self.clone();
        for each in &mut scaled.parameters {
            let factor = each.wide();
            let of_its_own = |factor: Factor| {
                let by = by.clone().cast(factor.dtype());
                factor.rescale(&by)
            };
            each.factor = factor.map(of_its_own);
            // The sides of a weight and those of its bias are divided by different numbers.
            each.weight = None;
        }
        (scaled, power(by))
    }

    /// Inner products with another draw (or this one), summed over parameters.
    fn products(&self, other: &Self, span: Span, precision: DType) -> Option<Products> {
        let product = |factor: &Factor| factor.route() == Route::Product;
        let (mut with_bias, theirs) = (self.biases(product), other.biases(product));
        // Gradients that were changed since the trace have lost the bond of weight and bias.
        if with_bias != theirs {
            with_bias.fill(None);
        }
        // Of one parameter in both draws, in one precision.
        let both = |index: usize| {
            let (a, b) = (&self.parameters[index], &other.parameters[index]);
            match (a.wide()?, b.wide()?) {
                (a, b) if a.dtype() == b.dtype() => Some((a, b)),
                (a, b) => {
                    let wide = widest(a.dtype(), b.dtype());
                    Some((a.cast(wide), b.cast(wide)))
                }
            }
        };
        let alone = |index: usize| both(index).map(|(a, b)| a.products(&b, span).cast(precision));
        let fused = |index: usize| with_bias.contains(&Some(index));
        let grams = (0..self.parameters.len())
            .filter(|index| !fused(*index))
            .filter_map(|index| {
                let Some(bias) = with_bias[index] else {
                    return alone(index);
                };
                let (a, b) = both(index)?;
                if let Some(both) = a.products_with_bias(&b, span) {
                    return Some(both.cast(precision));
                }
                let weight = a.products(&b, span).cast(precision);
                Some(match alone(bias) {
                    Some(bias) => weight.add(bias),
                    None => weight,
                })
            });
        grams.reduce(Products::add)
    }

    /// For each parameter, the bias that is handled together with it: that of the same layer, where
    /// both were used just once and the weight's factor allows it.
    pub(super) fn biases(&self, allowed: impl Fn(&Factor) -> bool) -> Vec<Option<usize>> {
        let mut together = vec![None; self.parameters.len()];
        for (index, bias) in self.parameters.iter().enumerate() {
            let weight = self.parameters.iter().position(|each| {
                bias.weight == Some(each.parameter.id)
                    && bias.uses.len() == 1
                    && each.uses.len() == 1
            });
            let Some(weight) = weight else { continue };
            let factor = self.parameters[weight].factor.as_ref();
            if factor.is_some_and(&allowed) && bias.factor.is_some() {
                together[weight] = Some(index);
            }
        }
        together
    }
}
