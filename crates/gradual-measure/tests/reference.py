"""Writes reference.json: the numbers of SciPy and statsmodels that tests/reference.rs is held against.

    pip install scipy statsmodels
    python reference.py > reference.json
"""

import json
import sys

import numpy
import scipy
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

SAMPLES = [
    [0.1, 0.35, 0.2, 0.9, 0.4],
    [-1.2, -1.1, -1.35, -0.9, -1.0],
    [2.0, 2.1, 1.9, 2.05, 5.0, 2.2, 1.95],
    [0.0, 1.0],
    [3.1, 2.9, 3.3, 2.7, 3.0, 3.2, 3.4, 2.8, 4.9, 3.05, 2.95, 3.15],
]
PAIRS = [
    ([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4, 3, 7, 8, 6, 5]),
    ([1, 1, 2, 3, 3, 3], [5, 4, 4, 2, 1, 1]),
    ([0.3, -2.0, 8.5, 8.5, 1.0], [1.0, 1.0, 0.0, 3.0, 2.0]),
]
PROBABILITIES = [
    [0.01, 0.04, 0.03, 0.005],
    [0.2],
    [0.04, 0.04, 0.9, 0.001, 0.03],
]


def statistics(values):
    drawn = stats.bootstrap(
        (values,), numpy.mean, n_resamples=200_000, batch=20_000, method="BCa",
        confidence_level=0.95, random_state=numpy.random.default_rng(0),
    ).confidence_interval
    t = stats.t.interval(0.95, len(values) - 1, numpy.mean(values), stats.sem(values))
    return {
        "values": values,
        "mean": numpy.mean(values),
        "deviation": numpy.std(values, ddof=1),
        "median": numpy.median(values),
        "t_interval": list(t),
        "bca_interval": [drawn.low, drawn.high],
        "p_of_mean": {str(at): stats.ttest_1samp(values, at).pvalue for at in (0.0, 0.5, 2.0)},
    }


def logistic(midpoint, scale, wobble):
    times = numpy.arange(1, 61) * 10.0
    curve = lambda t, m, s: 1 / (1 + (t / m) ** (-1 / s))
    skill = curve(times, midpoint, scale) + wobble * numpy.sin(times)
    # `Emergence` looks at the running median of three points, and at step 0 besides.
    smooth = skill.copy()
    with_origin = numpy.concatenate([[0.0], skill])
    smooth[:-1] = [numpy.median(with_origin[i : i + 3]) for i in range(len(skill) - 1)]
    (m, s), _ = optimize.curve_fit(curve, times, smooth, p0=(midpoint, scale), xtol=1e-14, ftol=1e-14)
    residual = smooth - curve(times, m, s)
    r2 = 1 - (residual**2).sum() / ((smooth - smooth.mean()) ** 2).sum()
    return {
        "times": times.tolist(), "skill": skill.tolist(), "midpoint": m, "scale": s, "r_squared": r2,
    }


def gini(values):
    values = numpy.asarray(values)
    return abs(values[:, None] - values[None, :]).mean() / (2 * values.mean())


json.dump(
    {
        "made_with": {
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
            "numpy": numpy.__version__,
        },
        "samples": [statistics(values) for values in SAMPLES],
        "pairs": [
            {
                "a": a,
                "b": b,
                "kendall": stats.kendalltau(a, b).statistic,
                "spearman": stats.spearmanr(a, b).statistic,
            }
            for a, b in PAIRS
        ],
        "holm": [
            {"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in PROBABILITIES
        ],
        "logistic": [logistic(*shape) for shape in [(200, 0.1, 0), (300, 0.4, 0.03), (90, 0.02, 0.01)]],
        "gini": [{"values": v, "gini": gini(v)} for v in ([1, 1, 1], [0, 0, 5], [0.2, 0.7, 0.01, 1.3])],
    },
    sys.stdout,
    indent=1,
)
print()
