"""The true error never exceeds the certificate's bound, and the bound is of use."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass, field

import mpmath
import numpy as np
import pytest

from reductions.fast_attention.approximate_attention import approximate_attention
from reductions.fast_attention.certificate import Method
from reductions.fast_attention.low_rank_choice import quantised
from reductions.polynomials.exponential import minimax_polynomial
from reductions.problems.attention import attention

FAMILIES = (
    "uniform",
    "clustered",
    "corners",
    "one-hot values",
    "near-ties",
    "at the bound",
    "far from 0",
    "uneven axes",
    "tiny",
    "far values",
)
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10)


@dataclass(frozen=True)
class Layer:
    """A case; its arrays are left out where it is printed."""

    family: str
    seed: int
    dtype: str
    logit_bound: float
    tolerance: float
    queries: np.ndarray = field(repr=False)
    keys: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    temperature: float


def draw(seed: int, largest: int) -> Layer:
    """Draw a layer of up to ``largest`` tokens, small ones more often."""
    rng = np.random.default_rng(seed)
    family = FAMILIES[seed % len(FAMILIES)]
    dtype = ("float32", "float64")[rng.integers(2)]
    count_q, count_k = np.exp(rng.uniform(0, np.log(largest + 0.5), 2)).astype(int)
    d, d_v = int(rng.choice([1, 2, 3, 4, 8, 16, 32])), int(rng.integers(1, 6))
    b = float(rng.choice([0.01, 0.25, 1.0, 2.0, 4.0, 8.0, 40.0]))
    queries, keys = rng.uniform(-1, 1, (count_q, d)), rng.uniform(-1, 1, (count_k, d))
    values = rng.uniform(-1, 1, (count_k, d_v))
    if family == "clustered":
        centres = rng.uniform(-1, 1, (3, d))
        keys = centres[rng.integers(3, size=count_k)] + 0.02 * keys
        queries = centres[rng.integers(3, size=count_q)] + 0.02 * queries
    elif family in ("corners", "at the bound"):
        corner = np.sign(rng.uniform(-1, 1, d))
        queries = np.where(rng.random((count_q, 1)) < 0.5, corner, -corner)
        keys = np.where(rng.random((count_k, 1)) < 0.5, corner, -corner)
        values = np.sign(values) * keys[:, :1]
    elif family == "one-hot values":
        values = np.zeros((count_k, d_v))
        values[rng.integers(count_k), 0] = 1.0
    elif family == "near-ties":
        keys = keys[:1] + 1e-6 * keys
        values = np.where(np.arange(count_k) % 2, 1.0, -1.0)[:, None] * np.ones(d_v)
    elif family == "far from 0":
        keys = keys * 0.1 + rng.uniform(-1, 1, d)
        queries = queries + 0.5
    elif family == "uneven axes":
        scales = 2.0 ** rng.integers(-12, 13, d)
        queries, keys = queries * scales, keys / scales
    elif family == "tiny":
        queries = queries * 2.0**-120
    elif family == "far values":
        values = values + rng.choice([3.0, 1e3])
    queries, keys, values = (np.asarray(a, dtype) for a in (queries, keys, values))
    # The temperature puts the largest logit at b, up to rounding.
    largest_logit = np.abs(queries.astype(float) @ keys.astype(float).T).max()
    temperature = float(largest_logit) / b if largest_logit else 1.0
    tolerance = float(rng.choice(TOLERANCES))
    return Layer(family, seed, dtype, b, tolerance, queries, keys, values, temperature)


def reference(layer: Layer, rows: slice | np.ndarray) -> np.ndarray:
    """Attention of some queries in long double, whose own error is far below every bound."""
    queries, keys, values = (a.astype(np.longdouble) for a in (layer.queries[rows], layer.keys, layer.values))
    logits = queries @ keys.T / np.longdouble(layer.temperature)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights @ values / weights.sum(axis=1, keepdims=True)


def in_50_digits(layer: Layer) -> list[list[mpmath.mpf]]:
    """Attention straight from its definition."""
    with mpmath.workdps(50):
        queries, keys, values = (
            [[mpmath.mpf(float(x)) for x in row] for row in array]
            for array in (layer.queries, layer.keys, layer.values)
        )
        outputs = []
        for query in queries:
            logits = [mpmath.fdot(query, key) / mpmath.mpf(layer.temperature) for key in keys]
            weights = [mpmath.exp(logit) for logit in logits]
            total = mpmath.fsum(weights)
            outputs.append([mpmath.fdot(weights, column) / total for column in zip(*values, strict=True)])
        return outputs


def attend(layer: Layer, method: str = "auto"):
    return approximate_attention(
        layer.queries,
        layer.keys,
        layer.values,
        temperature=layer.temperature,
        tolerance=layer.tolerance,
        method=method,
    )


def largest_error(layer: Layer, output: np.ndarray) -> float:
    """The error of all rows of a small layer, or of some of a large one."""
    if layer.queries.shape[0] * layer.keys.shape[0] <= 400 and layer.seed % 7 == 0:
        with mpmath.workdps(50):
            return float(
                max(
                    abs(mpmath.mpf(float(x)) - y)
                    for row, exact in zip(output, in_50_digits(layer), strict=True)
                    for x, y in zip(row, exact, strict=True)
                )
            )
    limit = max(1, 200_000 // len(layer.keys))
    rows = np.arange(len(layer.queries))
    if len(rows) > limit:
        rows = np.random.default_rng(layer.seed).choice(rows, limit, replace=False)
    return float(np.abs(output[rows] - reference(layer, rows)).max())


def check(seed: int, largest: int) -> tuple[Method, float]:
    """Compare one case with its bound; return the method and the ratio of error and bound."""
    layer = draw(seed, largest)
    method = ("auto", "low-rank", "low-rank", "exact")[seed % 4]
    if (len(layer.queries) + len(layer.keys)) * layer.queries.shape[1] > 8000 and method == "low-rank":
        method = "auto"  # any rank would do if it were asked for, and take minutes
    try:
        output, certificate = attend(layer, method)
    except ValueError as error:
        if method != "low-rank" or "must not be 'low-rank'" not in str(error):
            raise
        output, certificate = attend(layer)
    error = largest_error(layer, output)
    # Long double adds about 2^-64 of each logit and of each sum.
    slack = 2.0**-60 * (2 + layer.logit_bound) * float(np.abs(layer.values).max())
    assert error <= certificate.error_bound + slack, (layer, certificate, error)
    if certificate.method is Method.LOW_RANK:
        assert certificate.within_tolerance, (layer, certificate)
    elif not certificate.within_tolerance:
        assert certificate.dtype == "float64", (layer, certificate)
        assert certificate.error_bound < 1e-10 * float(np.abs(layer.values).max()), (layer, certificate)
    return certificate.method, error / certificate.error_bound if error else 0.0


def test_true_errors_are_within_their_bounds():
    methods = [check(seed, 300)[0] for seed in range(240)]
    assert methods.count(Method.LOW_RANK) > 60
    assert methods.count(Method.EXACT) > 60


def test_true_errors_of_large_layers_are_within_their_bounds():
    """Layers that are large enough for the compiled exact kernel."""
    methods = [check(seed, 6000)[0] for seed in range(10_003, 10_143, 4)]
    assert methods.count(Method.EXACT) > 10


@pytest.mark.parametrize(("tolerance", "dtype"), [(3e-5, "float32"), (1e-9, "float64")])
@pytest.mark.parametrize("b", [1e-3, 8.0, 90.0, 3e5])
def test_the_exact_kernel_is_within_its_certificate(tolerance, dtype, b):
    """Near-ties among the largest logits, and values that change sign between them."""
    generator = np.random.default_rng(0)
    keys = generator.choice((-1.0, 1.0), (1500, 5)) * (1 + 1e-4 * generator.standard_normal((1500, 1)))
    queries = generator.choice((-1.0, 1.0), (1100, 5))
    values = generator.choice((-1.0, 1.0), (1500, 2))
    layer = Layer("ties", 0, "float64", b, tolerance, queries, keys, values, 5 / b)
    output, certificate = attend(layer, "exact")
    assert certificate.method is Method.EXACT
    assert certificate.within_tolerance
    if b < 10 or dtype == "float64":
        assert certificate.dtype == dtype
    assert largest_error(layer, output) <= certificate.error_bound + 2.0**-58 * (1 + b)


@pytest.mark.slow
def test_true_errors_are_within_their_bounds_in_10_000_cases():
    methods = [check(seed, 5000)[0] for seed in range(10_000)]
    assert methods.count(Method.LOW_RANK) > 2000
    assert methods.count(Method.EXACT) > 2000


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_the_bound_is_nearly_attained(degree):
    """Keys at two extremes of the polynomial's error, in numbers that balance their weights."""
    polynomial = minimax_polynomial(degree, *quantised(-1 - 1e-9, 1 + 1e-9))
    grid = np.linspace(-1, 1, 4001)
    off = polynomial(grid) * np.exp(-grid) - 1
    up, down = grid[off.argmax()], grid[off.argmin()]
    # The mean of values 1 and -1 should be a little negative before, and as much positive after.
    t = polynomial.error / (1 + math.sqrt(1 - polynomial.error**2))
    odds = (1 - t) / (1 + t) * math.exp(down - up)
    count_down = 20_000
    count_up = round(count_down * odds)
    keys = np.repeat([up, down], [count_up, count_down])[:, None]
    # Two keys more hold the interval open.
    keys = np.append(keys, [[1.0], [-1.0]], axis=0)
    values = np.append(np.repeat([1.0, -1.0], [count_up, count_down]), [0.0, 0.0])[:, None]
    layer = Layer("extremal", 0, "float64", 1.0, polynomial.error * 1.2, np.ones((1, 1)), keys, values, 1.0)
    output, certificate = attend(layer, "low-rank")
    error = abs(output - reference(layer, slice(None))).max()
    assert certificate.degree == degree
    assert 0.75 * certificate.error_bound < error <= certificate.error_bound


def test_exact_where_the_tolerance_is_out_of_reach():
    layer = draw(4, 300)
    for tolerance in (0.0, 1e-18):
        output, certificate = approximate_attention(
            layer.queries, layer.keys, layer.values, temperature=layer.temperature, tolerance=tolerance
        )
        assert certificate.method is Method.EXACT
        assert not certificate.within_tolerance
        assert "ABOVE the tolerance" in str(certificate)
        assert largest_error(layer, output) <= certificate.error_bound < 1e-10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dispatcher(dtype):
    generator = np.random.default_rng(0)
    queries, keys, values = generator.uniform(-1, 1, (3, 4096, 8)).astype(dtype)

    def certificate(rows, tolerance, temperature=8.0):
        return approximate_attention(
            queries[:rows], keys[:rows], values[:rows], temperature=temperature, tolerance=tolerance
        ).certificate

    large = certificate(4096, 1e-3)
    assert (large.method, large.degree, large.dtype) == (Method.LOW_RANK, 4, "float32")
    assert large.rank == math.comb(12, 4)
    assert large.operations == 2 * 4096 * (495 - 9 + 495 * 9)
    assert certificate(4096, 1e-7).dtype == "float64"
    # Small layers, and logits out of reach of a polynomial, are exact.
    small = certificate(100, 1e-3)
    assert (small.method, small.operations) == (Method.EXACT, 100 * 100 * 17)
    assert certificate(4096, 1e-3, temperature=0.05).method is Method.EXACT
    # A smaller tolerance never takes a smaller degree.
    degrees = [certificate(4096, 10.0**-p).degree for p in range(1, 5)]
    assert degrees == sorted(degrees)


def test_keys_far_from_zero_cost_nothing():
    generator = np.random.default_rng(0)
    queries, keys = generator.uniform(-1, 1, (2, 3000, 4))
    values = generator.uniform(-1, 1, (3000, 2))
    options = {"temperature": 4.0, "tolerance": 1e-4, "method": "low-rank"}
    near = approximate_attention(queries, keys, values, **options)
    far = approximate_attention(queries, keys + 100, values + 1e4, **options)
    assert far.certificate.degree == near.certificate.degree
    np.testing.assert_allclose(far.output - 1e4, near.output, atol=2e-4)


def test_equal_values_are_returned_as_they_are():
    generator = np.random.default_rng(0)
    queries, keys = generator.uniform(-1, 1, (2, 3000, 4))
    for method in ("low-rank", "exact"):
        output, certificate = approximate_attention(
            queries, keys, np.full((3000, 2), 0.3), temperature=4.0, tolerance=1e-3, method=method
        )
        assert (output == 0.3).all()
        assert certificate.error_bound < 1e-14


@pytest.mark.parametrize("method", ["low-rank", "exact"])
@pytest.mark.parametrize("temperature", [1.0, 1e300, 1e-300])
@pytest.mark.parametrize("size", [0.0, 1e-320, 1e-200])
def test_logits_that_vanish(method, temperature, size):
    """Every output is the mean of the values, if the logits are 0 or nearly."""
    generator = np.random.default_rng(0)
    queries, keys, values = generator.uniform(-1, 1, (3, 40, 3))
    queries = queries * size
    if temperature < 1:
        keys = keys * 1e-300
    try:
        output, certificate = approximate_attention(
            queries, keys, values, temperature=temperature, tolerance=1e-6, method=method
        )
    except ValueError as error:  # low rank has no rounding bound at the ends of the range
        if method != "low-rank" or "must not be 'low-rank'" not in str(error):
            raise
        assert size > 0 or temperature != 1
        return
    assert certificate.within_tolerance
    assert np.abs(output - values.mean(axis=0)).max() <= certificate.error_bound + 1e-15


def test_threads_change_rounding_only():
    arrays = np.random.default_rng(0).uniform(-1, 1, (3, 5000, 4))
    options = {"temperature": 4.0, "tolerance": 1e-3, "method": "low-rank"}
    one, two, all_of_them = (
        approximate_attention(*arrays, threads=threads, **options) for threads in (1, 2, None)
    )
    assert one.certificate == two.certificate == all_of_them.certificate
    for other in (two, all_of_them):
        np.testing.assert_allclose(other.output, one.output, rtol=0, atol=one.certificate.rounding_error)


def test_the_certificate_can_be_read():
    layer = draw(0, 300)
    layer = approximate_attention(
        layer.queries, layer.keys, layer.values, temperature=1e3, tolerance=1e-2, method="low-rank"
    )
    certificate = layer.certificate
    fields = json.loads(json.dumps(certificate.as_dict()))
    assert fields["method"] == "low-rank"
    assert fields["within_tolerance"] is True
    assert fields["error_bound"] == certificate.error_bound
    assert certificate.error_bound >= certificate.approximation_error + certificate.rounding_error
    text = str(certificate)
    assert f"degree {certificate.degree}" in text
    assert "within the tolerance 0.01" in text
    assert certificate._repr_html_().count("<tr>") == len(text.splitlines())


def test_a_small_layer_loads_no_compiler():
    program = (
        "import sys, numpy as np\n"
        "from reductions.fast_attention.approximate_attention import approximate_attention as attend\n"
        "x = np.ones((100, 3))\n"
        "attend(x, x, x, temperature=1.0, tolerance=1e-3)\n"
        "assert not {'numba', 'torch', 'sympy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("size", [1e-300, 1e-100, 1e-44, 1e100, 1e300])
@pytest.mark.parametrize("tolerance", [0.1, 0.0])
def test_queries_out_of_the_range_of_float32_that_the_temperature_brings_back(size, tolerance):
    rng = np.random.default_rng(0)
    q, k, v = rng.standard_normal((5, 3)), rng.standard_normal((7, 3)), rng.standard_normal((7, 2))
    result = approximate_attention(q * size, k, v, temperature=size, tolerance=tolerance)
    assert result.certificate.dtype == ("float32" if tolerance else "float64")
    exact = attention(q, k, v, temperature=1.0)
    assert np.abs(result.output - exact).max() <= result.certificate.error_bound


@pytest.mark.parametrize("size", [1e50, 1e200])
def test_values_of_zero_give_zeros_at_logits_beyond_float32(size):
    rng = np.random.default_rng(0)
    q, k = rng.standard_normal((5, 3)), size * rng.standard_normal((7, 3))
    result = approximate_attention(q, k, np.zeros((7, 2)), temperature=1.0, tolerance=0.1)
    assert (result.output == 0).all()
    assert result.certificate.error_bound == 0


def test_low_rank_refuses_logits_whose_squares_overflow():
    one = np.ones((3, 1))
    with pytest.raises(ValueError, match="'method' must not be 'low-rank'"):
        approximate_attention(
            one * [[-1], [0], [1]], one, one, temperature=1e-200, tolerance=1, method="low-rank"
        )
