from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reductions.kernel_suite.calling import Precision
from reductions.kernel_suite.low_precision import rounded
from reductions.kernel_suite.var_instance import VarParameters, _twin, attention_inputs, build_var
from reductions.problem import Answer
from reductions.problems.approximate_var import Reading
from reductions.problems.interpolation import Kernel

KINDS = [
    VarParameters(Reading.MAPS, 16, planted, Fraction(1), family, kernel)
    for family in ("random", "extremal")
    for kernel in (Kernel.BICUBIC, Kernel.NEAREST)
    for planted in (False, True)
] + [VarParameters(Reading.START_AND_POSITIONS, 16, planted, Fraction(1)) for planted in (False, True)]


@pytest.mark.parametrize("parameters", KINDS, ids=lambda p: p.label.name)
def test_the_layers_inputs_give_the_models_outputs(parameters):
    problem, decisive, _ = _twin(parameters)
    queries, keys, values = attention_inputs(problem)
    logits = queries @ keys.T / problem.attention_layer.temperature
    first = problem.model.tokens - 16 * 16
    weights = np.exp(logits[first:] - logits[first:].max(axis=1, keepdims=True))
    outputs = (weights @ values / weights.sum(axis=1, keepdims=True))[problem.read_outs, 0]
    assert np.abs(outputs - problem.outputs()).max() < 1e-9
    assert problem.decide_rows(outputs)[decisive] == parameters.planted
    assert problem.answer() is (Answer.YES if parameters.planted else Answer.NO)


@pytest.mark.parametrize("parameters", KINDS, ids=lambda p: p.label.name)
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.FLOAT32])
def test_references_are_block_causal_attention_of_the_rounded_entries(parameters, precision):
    instance = build_var(parameters).rounded_to(precision)
    for entries in (instance.queries, instance.keys, instance.values):
        assert (rounded(entries, precision) == entries).all()
    scale_of = np.searchsorted(instance.scale_ends, np.arange(341), side="right")
    logits = instance.queries @ instance.keys.T / instance.temperature
    logits = np.where(scale_of[:, None] >= scale_of, logits, -np.inf)[instance.rows]
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    outputs = (weights @ instance.values / weights.sum(axis=1, keepdims=True))[:, 0]
    assert np.abs(outputs - instance.reference).max() < 1e-10
    assert instance.decide(instance.reference) is instance.answer
    assert instance.margin > 0.3


def test_a_smaller_strength_scales_the_logits():
    whole, quarter = (
        build_var(VarParameters(Reading.MAPS, 16, True, strength, "random"))
        for strength in (Fraction(1), Fraction(1, 4))
    )
    assert quarter.logit_bound == pytest.approx(whole.logit_bound / 4, rel=1e-12)
    assert quarter.margin < whole.margin


def test_twins_have_each_other_as_twin():
    no, yes = (build_var(VarParameters(Reading.START_AND_POSITIONS, 16, p, Fraction(1, 4))) for p in (0, 1))
    at = int(np.searchsorted(no.rows, no.decisive))
    assert no.decisive == yes.decisive
    assert no.twin_reference == yes.reference[at]
    assert no.digest != yes.digest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"reading": Reading.START_ONLY}, "'reading' must be maps or start\\+positions"),
        ({"side": 24}, "'side' must be 16, 32 or 64, not 24"),
        ({"family": "formula"}, "'family' must not be 'formula' in reading maps"),
        ({"family": "hard"}, "'family' must fit the reading maps, not be 'hard'"),
        ({"reading": Reading.START_AND_POSITIONS}, "'family' must fit the reading"),
        ({"strength": Fraction(0)}, "'strength' must be positive"),
        ({"seed": -1}, "'seed' must be at least 0"),
    ],
)
def test_wrong_parameters(arguments, message):
    usual = {
        "reading": Reading.MAPS,
        "side": 16,
        "planted": True,
        "strength": Fraction(1),
        "family": "random",
    }
    with pytest.raises(ValueError, match=message):
        VarParameters(**{**usual, **arguments})
