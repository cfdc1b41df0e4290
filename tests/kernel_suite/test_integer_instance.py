from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reductions.kernel_suite.calling import Precision
from reductions.kernel_suite.families import FAMILIES
from reductions.kernel_suite.integer_instance import Parameters, build, least_short_number
from reductions.kernel_suite.low_precision import exact_attention_in, rounded
from reductions.kernel_suite.raw_bits import RawBits
from reductions.layers.streamed_attention import EXP_ULPS
from reductions.problem import Answer
from reductions.problems.attention import attention
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from tests.forward_error import TORCH_EXP_ULPS, UNIT, attention_error

KINDS = [
    Parameters(family, 64, 14, planted, Fraction(1, 4), lifted)
    for family in FAMILIES
    for planted in (False, True)
    for lifted in (False, True)
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("vectors", "coordinates"), [(8, 12), (64, 14), (256, 14), (256, 62)])
@pytest.mark.parametrize("seed", range(5))
def test_twins_differ_in_one_bit_and_in_their_answer(family, vectors, coordinates, seed):
    twins = FAMILIES[family](vectors, coordinates, RawBits(seed))
    no, yes = (OrthogonalVectors(*twins.vectors(planted)) for planted in (False, True))
    assert no.answer() is Answer.NO
    assert yes.verify((twins.row, twins.column))
    assert (no.left == yes.left).all()
    assert (no.right != yes.right).sum() == 1
    assert int(no.left[twins.row].astype(int) @ no.right[twins.column]) == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_unique_pair_is_unique(seed):
    twins = FAMILIES["unique"](128, 14, RawBits(seed))
    yes = OrthogonalVectors(*twins.vectors(True))
    assert yes.orthogonal_pairs().tolist() == [[twins.row, twins.column]]


@pytest.mark.parametrize("parameters", KINDS, ids=lambda p: p.label.name)
def test_the_reference_is_exact_attention(parameters):
    instance = build(parameters)
    outputs = attention(instance.queries, instance.keys, instance.values, instance.temperature)[:, 0]
    assert np.abs(outputs[instance.rows] - instance.reference).max() < 1e-13
    assert instance.decide(instance.reference) is instance.answer
    logits = instance.queries @ instance.keys.T / instance.temperature
    assert instance.logit_bound == pytest.approx(np.abs(logits[instance.rows]).max(), rel=1e-14)
    assert (logits >= 0).all() if parameters.lifted else (logits <= 0).all()


def test_one_reference_row_by_hand():
    instance = build(KINDS[1])
    at = int(np.searchsorted(instance.rows, instance.decisive))
    with mpmath.workdps(60):
        logits = [
            mpmath.fdot(map(mpmath.mpf, instance.queries[instance.decisive]), map(mpmath.mpf, key))
            / instance.temperature
            for key in instance.keys
        ]
        weights = [mpmath.exp(logit) for logit in logits]
        exact = mpmath.fsum(weights[:-1]) / mpmath.fsum(weights)
        assert abs(exact - instance.reference[at]) < 2**-53


@pytest.mark.parametrize("parameters", [p for p in KINDS if not p.planted], ids=lambda p: p.label.name)
def test_twins_have_each_other_as_twin(parameters):
    no = build(parameters)
    yes = build(Parameters(**{**parameters.__dict__, "planted": True}))
    assert (no.query_halves == yes.query_halves).all()
    assert (no.key_halves != yes.key_halves).sum() == 1
    assert no.decisive == yes.decisive
    assert no.boundary == pytest.approx(yes.boundary, rel=1e-12)
    assert no.margin == pytest.approx(yes.margin, rel=1e-12)
    at = int(np.searchsorted(no.rows, no.decisive))
    assert no.twin_reference == yes.reference[at]
    # The pass rule: an error below the margin leaves the decision as it is, one above may turn it.
    towards = np.zeros(len(no.rows))
    towards[at] = yes.reference[at] - no.reference[at]
    assert no.decide(no.reference + 0.49 * towards) is Answer.NO
    assert no.decide(no.reference + 0.51 * towards) is Answer.YES
    assert no.worst_error(no.reference + 0.5 * towards) == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("precision", Precision)
@pytest.mark.parametrize("parameters", KINDS, ids=lambda p: p.label.name)
def test_entries_are_numbers_of_every_precision(parameters, precision):
    instance = build(parameters)
    for entries in (instance.queries, instance.keys, instance.values):
        assert (rounded(entries, precision) == entries).all()


def test_at_full_strength_the_answers_are_as_far_apart_as_the_reduction_says():
    for family in FAMILIES:
        for planted in (False, True):
            instance = build(Parameters(family, 256, 14, planted, Fraction(1)))
            assert instance.margin >= 0.3 - 1e-12
            assert (instance.reference >= 0.8).any() == planted
            assert ((instance.reference <= 0.2) | (instance.reference >= 0.8)).all()


@given(st.floats(1e-6, 1e6))
def test_the_scale_has_eight_bits_and_is_the_least(at_least):
    number = least_short_number(at_least)
    bits = number.as_integer_ratio()[0]
    assert (bits // (bits & -bits)).bit_length() <= 8
    assert at_least <= number <= at_least * (1 + 2**-7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"family": "hard"}, "'family' must be one of random, .*, not 'hard'"),
        ({"tokens": 48, "family": "formula"}, "'tokens' must be a power of two for formulas, not 48"),
        ({"tokens": 4}, "'tokens' must be at least 8, not 4"),
        ({"coordinates": 11}, "'coordinates' must be 12 to 64, not 11"),
        ({"coordinates": 65}, "'coordinates' must be 12 to 64, not 65"),
        ({"field": 4}, "'field' must be one of 0, 3 and 5, not 4"),
        ({"field": 5}, "'coordinates' must be 6 here, not 14"),
        ({"field": 5, "coordinates": 6, "lifted": True}, "'field' must be 0 for lifted"),
        ({"strength": Fraction(0)}, "'strength' must be positive, not 0"),
        ({"seed": -1}, "'seed' must be at least 0, not -1"),
    ],
)
def test_wrong_parameters(arguments, message):
    usual = {"family": "random", "tokens": 64, "coordinates": 14, "planted": True, "strength": Fraction(1)}
    with pytest.raises(ValueError, match=message):
        Parameters(**{**usual, **arguments})


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=20))
def test_rounding_is_that_of_torch(entries):
    torch = pytest.importorskip("torch")
    array = np.array(entries, np.float32)
    for precision, dtype in ((Precision.BFLOAT16, torch.bfloat16), (Precision.FLOAT16, torch.float16)):
        expected = torch.from_numpy(array).to(dtype).float().numpy()
        assert np.array_equal(rounded(array, precision), expected)


def test_exact_attention_in_a_precision_is_near_torchs():
    torch = pytest.importorskip("torch")
    instance = build(Parameters("low-weight", 256, 14, True, Fraction(1, 2)))
    q, k, v = instance.queries, instance.keys, instance.values
    exact = attention(q, k, v, instance.temperature)
    for precision, dtype in ((Precision.FLOAT32, torch.float32), (Precision.BFLOAT16, torch.bfloat16)):
        ours = exact_attention_in(
            rounded(q, precision), rounded(k, precision), v, instance.temperature, precision
        )
        arrays = (torch.from_numpy(a)[None, None].to(dtype) for a in (q, k, v))
        theirs = torch.nn.functional.scaled_dot_product_attention(*arrays, scale=1 / instance.temperature)
        for outputs, ulps in ((ours, EXP_ULPS), (theirs[0, 0].double().numpy(), TORCH_EXP_ULPS)):
            allowed = attention_error(q, k, v, instance.temperature, stored=UNIT[precision], exp_ulps=ulps)
            assert (np.abs(outputs - exact) <= allowed).all()
