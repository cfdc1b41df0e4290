from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reductions.problems.attention as module
from reductions.problem import Answer
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention, attention

MATRICES = st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(0, 4), st.integers(1, 3))


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


def random_layer(shape, seed, temperature=1.3, scale=3.0):
    queries, keys, dimension, columns = shape
    generator = np.random.default_rng(seed)
    return AttentionInstance(
        scale * generator.standard_normal((queries, dimension)),
        scale * generator.standard_normal((keys, dimension)),
        generator.standard_normal((keys, columns)),
        temperature,
    )


def reference_instance(keys, queries=((1.0,),), reference_logit=1.0, logit_gap=0.5, temperature=1.0):
    """Keys with one coordinate besides that of the reference key, which is ``reference_logit`` times τ."""
    keys = np.asarray(keys, dtype=float)
    queries = np.hstack([np.asarray(queries, dtype=float), np.ones((len(queries), 1))])
    rows = np.vstack([np.hstack([keys, np.zeros((len(keys), 1))]), [[0.0, reference_logit * temperature]]])
    values = np.append(np.ones(len(keys)), 0.0)[:, None]
    return ReferenceKeyAttention(
        AttentionInstance(queries, rows, values, temperature), reference_logit, logit_gap
    )


@given(shape=MATRICES, seed=st.integers(0, 2**32), temperature=st.floats(0.1, 20))
def test_output_equals_torch(torch, shape, seed, temperature):
    layer = random_layer(shape, seed, temperature)
    if not shape[2]:
        expected = np.broadcast_to(layer.values.mean(axis=0), (shape[0], shape[3]))
    else:
        query, key, value = (
            torch.tensor(np.array(a))[None] for a in (layer.queries, layer.keys, layer.values)
        )
        expected = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=1 / temperature)
        expected = expected[0].numpy()
    np.testing.assert_allclose(layer.output(), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_output_equals_50_digits(seed):
    layer = random_layer((3, 4, 2, 2), seed, temperature=0.7, scale=4.0)
    with mpmath.workdps(50):
        query, key, value = (mpmath.matrix(a.tolist()) for a in (layer.queries, layer.keys, layer.values))
        weights = (query * key.T / mpmath.mpf(0.7)).apply(mpmath.exp)
        for i in range(3):
            total = mpmath.fsum(weights[i, :])
            for c in range(2):
                exact = mpmath.fsum(weights[i, j] * value[j, c] for j in range(4)) / total
                assert abs(exact - layer.output()[i, c]) < 1e-13


def test_softmax_is_stable_for_huge_logits():
    output = attention([[1.0]], [[5000.0], [4999.0], [-1e6]], [[1.0], [0.0], [7.0]], 1.0)
    assert output[0, 0] == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-14)


@given(MATRICES, st.integers(0, 2**32), st.integers(1, 9))
def test_blocks_change_nothing(shape, seed, logits_at_once):
    layer = random_layer(shape, seed)
    whole, logits, bound = layer.output(), layer.logits(), layer.logit_bound
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_LOGITS", logits_at_once)
        again = random_layer(shape, seed)
        assert len(list(again.logit_blocks())) == math.ceil(shape[0] / max(1, logits_at_once // shape[1]))
        np.testing.assert_allclose(again.output(), whole, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(again.logits(), logits, rtol=1e-12, atol=1e-13)
        assert again.logit_bound == pytest.approx(bound, rel=1e-12)


def test_bounds():
    layer = AttentionInstance(
        np.array([[1.0, -3.0]]), np.array([[2.0, 2.0], [0.5, 0]]), np.array([[-9.0], [4]]), 0.5
    )
    assert layer.entry_bound == 3
    assert layer.logit_bound == 8
    assert layer.value_bound == 9


def test_instances_are_private_and_read_only():
    queries = np.ones((1, 1))
    layer = AttentionInstance(queries, np.ones((1, 1)), np.ones((1, 1)), 1)
    queries[0] = 7
    assert layer.queries[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        layer.queries[0, 0] = 2


ONE = np.ones((1, 1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones(3), ONE, ONE, 1.0), "'queries' must be a matrix"),
        ((np.ones((1, 2)), np.ones((1, 3)), ONE, 1.0), "'keys' must have 2 columns"),
        ((ONE, ONE, np.ones((2, 1)), 1.0), "'values' must have one row for each of the 1 keys"),
        ((ONE, np.ones((0, 1)), ONE, 1.0), "'keys' must have at least one row"),
        ((ONE, ONE, np.array([[np.nan]]), 1.0), "'values' must have finite entries"),
        ((np.array([[np.inf]]), ONE, ONE, 1.0), "'queries' must have finite entries"),
        ((ONE, ONE, ONE, 0.0), "'temperature' must be a positive number"),
        ((ONE, ONE, ONE, -1.0), "'temperature' must be a positive number"),
        ((ONE, ONE, ONE, math.nan), "'temperature' must be a positive number"),
        ((ONE, ONE, ONE, math.inf), "'temperature' must be a positive number"),
    ],
)
def test_bad_layers_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AttentionInstance(*arguments)


def test_entries_must_be_real():
    with pytest.raises(TypeError, match="real numbers"):
        AttentionInstance(ONE * 1j, ONE, ONE, 1.0)


def test_logits_out_of_range_are_an_error():
    with pytest.raises(ValueError, match="range of float64"):
        attention([[1e200, 1e200]], [[1e200, -1e200]], [[1.0]], 1.0)


@pytest.mark.parametrize(
    ("logits", "answer", "rows"),
    [
        ([[1.5]], Answer.YES, "Y"),
        ([[0.5]], Answer.NO, "N"),
        ([[1.0]], Answer.OUTSIDE_PROMISE, "-"),
        ([[1.499999]], Answer.OUTSIDE_PROMISE, "-"),
        ([[0.500001]], Answer.OUTSIDE_PROMISE, "-"),
        ([[0.2], [1.5]], Answer.YES, "NY"),
        ([[1.0], [1.5]], Answer.YES, "-Y"),
        ([[1.0], [0.1]], Answer.OUTSIDE_PROMISE, "-N"),
    ],
)
@pytest.mark.parametrize("temperature", [1.0, 0.1])
def test_answers(logits, answer, rows, temperature):
    queries = temperature * np.array(logits)
    instance = reference_instance([[1.0], [-1.0]], queries, temperature=temperature)
    names = {"Y": Answer.YES, "N": Answer.NO, "-": Answer.OUTSIDE_PROMISE}
    assert instance.row_answers() == tuple(names[row] for row in rows)
    assert instance.answer() is answer
    witness = instance.solve_brute_force()
    assert (witness is None) == ("Y" not in rows)
    if witness is not None:
        assert witness == (rows.index("Y"), 0)
        assert instance.verify(witness)


def test_boundary_logits_survive_rounding():
    """Thirds are no floats: 0.1 * 3 is above 0.3 and (1/3 + 1/3 + 1/3) need not be 1."""
    for temperature in (0.3, 3.0, 7.0):
        for rho in (1 / 3, 0.1, 123.4):
            for sign, answer in ((1, Answer.YES), (-1, Answer.NO)):
                logit = (rho + sign * 0.7) * temperature
                instance = reference_instance([[1.0]], [[logit]], rho, 0.7, temperature)
                assert instance.answer() is answer


def test_tolerance_covers_the_rounding_of_random_logits():
    """Against 50 digits, over scales from 1e-3 to 1e3."""
    generator = np.random.default_rng(5)
    for _ in range(20):
        dimension = int(generator.integers(1, 40))
        q, k = (
            10 ** generator.uniform(-3, 3, dimension) * generator.choice([-1, 1], dimension) for _ in "qk"
        )
        layer = AttentionInstance(
            np.append(q, 1.0)[None],
            np.vstack([np.append(k, 0.0), np.eye(dimension + 1)[-1]]),
            np.array([[1.0], [0]]),
            1.0,
        )
        instance = ReferenceKeyAttention(layer, 1.0, 1.0)
        with mpmath.workdps(50):
            exact = mpmath.fdot(q.tolist(), k.tolist())
            assert abs(exact - layer.logits()[0, 0]) <= instance.logit_tolerance


def test_witnesses():
    instance = reference_instance([[0.0], [2.0]], [[0.0], [1.0]])
    assert instance.verify((1, 1))
    assert instance.verify((np.int64(1), np.int64(1)))
    for wrong in ((1, 0), (0, 1), (1, 2), (2, 1), (-1, 1), (1, -1), (1,), None, "11", (1.0, 1)):
        assert not instance.verify(wrong)


def test_sizes():
    instance = reference_instance([[1.0], [2.0], [-3.0]], [[1.0], [0.5]])
    assert instance.sizes == {"L_q": 2, "L_k": 4, "d": 2, "tau": 1.0, "rho": 1.0, "g": 0.5, "R": 3.0}


def test_decide_rows():
    instance = reference_instance([[1.0]], [[1.0], [1.0], [1.0]])
    assert instance.decide_rows([0.49, 0.51, 0.5]).tolist() == [False, True, False]


@pytest.mark.parametrize("outputs", [[0.1], [0.1, 0.2, 0.3], [[0.1], [0.2]], 0.1])
def test_outputs_of_a_wrong_shape_are_refused(outputs):
    with pytest.raises(ValueError, match=r"'outputs' must have shape \(2,\)"):
        reference_instance([[1.0]], [[1.0], [1.0]]).decide_rows(outputs)


@pytest.mark.parametrize("output", [math.nan, math.inf, -math.inf, 1.31, -0.31])
def test_impossible_outputs_are_refused(output):
    with pytest.raises(ValueError, match="'outputs' must lie in"):
        reference_instance([[1.0]], [[1.0], [1.0]]).decide_rows([0.5, output])


def test_structure_is_checked():
    layer = reference_instance([[1.0]]).attention
    with pytest.raises(ValueError, match="'reference_logit' must be the logit of the last key"):
        ReferenceKeyAttention(layer, 1.0 + 1e-9, 0.5)
    with pytest.raises(ValueError, match="'reference_logit' must be finite"):
        ReferenceKeyAttention(layer, math.nan, 0.5)
    for gap in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="'logit_gap' must be a positive number"):
            ReferenceKeyAttention(layer, 1.0, gap)
    with pytest.raises(ValueError, match="'logit_gap' must exceed the rounding"):
        ReferenceKeyAttention(layer, 1.0, 1e-16)
    for values in ([[1.0], [1.0]], [[0.5], [0.0]], [[1.0, 1.0], [0.0, 0.0]]):
        broken = AttentionInstance(layer.queries, layer.keys, np.array(values), 1.0)
        with pytest.raises(ValueError, match="one column of values"):
            ReferenceKeyAttention(broken, 1.0, 0.5)
    lonely = AttentionInstance(layer.queries, layer.keys[-1:], layer.values[-1:], 1.0)
    with pytest.raises(ValueError, match="last of at least two"):
        ReferenceKeyAttention(lonely, 1.0, 0.5)


def test_reference_logit_must_be_the_same_for_every_query():
    layer = reference_instance([[1.0]], [[1.0], [1.0]]).attention
    queries = layer.queries.copy()
    queries[1, 1] = 1.001
    with pytest.raises(ValueError, match="for query 1"):
        ReferenceKeyAttention(AttentionInstance(queries, layer.keys, layer.values, 1.0), 1.0, 0.5)
