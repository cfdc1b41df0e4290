"""The error of a whole model: recorded runs agree with the model's own, and arguments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from checks.upper_bound.error_propagation.instances import recorded_run
from checks.upper_bound.error_propagation.runs import draw_model, perturb, stated_bound
from reductions.fast_attention.whole_model.error_chain import propagate_model
from reductions.upper_bound.error_propagation import AttentionMagnitudes


@pytest.mark.parametrize("seed", range(5))
def test_recorded_run_is_the_models_own(seed):
    generator = np.random.default_rng(seed)
    model = draw_model(generator)
    start = generator.standard_normal(model.channels)
    tables = tuple(generator.standard_normal((h * w, model.channels)) for h, w in model.schedule)
    model = replace(model, position_table=tables)
    for exact, recorded in zip(model.run(start), recorded_run(model, start).entering, strict=True):
        np.testing.assert_allclose(recorded[-1], exact, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("drawn", [False, True])
def test_no_local_error_no_error(drawn):
    generator = np.random.default_rng(1)
    model = draw_model(generator)
    case = perturb(model, [[0.0] * len(model.layers) for _ in model.schedule], drawn, generator)
    assert all(
        set(errors.entering) | set(errors.logit_moves) == {0.0} for errors in stated_bound(case, case.exact)
    )


def test_given_maps_keep_errors_of_older_scales_in_attention_only():
    generator = np.random.default_rng(2)
    model = draw_model(generator)
    magnitudes = [
        [AttentionMagnitudes(1.0, 1.0, 1.0)] * sum(hasattr(x, "temperature") for x in model.layers)
    ] * len(model.schedule)
    local = [[0.0] * len(model.layers) for _ in model.schedule]
    local[0][-1] = 1.0
    given = propagate_model(model, magnitudes, local, drawn=False)
    assert given[0].output >= 1
    assert [errors.output for errors in given[1:]] == [0.0] * (len(model.schedule) - 1)
    drawn = propagate_model(model, magnitudes, local, drawn=True)
    assert all(errors.output > 0 for errors in drawn)
    moved = propagate_model(model, magnitudes, local, drawn=False, initial=0.5)
    assert all(errors.entering[0] == 0.5 for errors in moved)


def test_argument_errors():
    generator = np.random.default_rng(3)
    model = draw_model(generator)
    scales = len(model.schedule)
    attention = sum(hasattr(layer, "temperature") for layer in model.layers)
    magnitudes = [[AttentionMagnitudes(1.0, 1.0, 1.0)] * attention] * scales
    local = [[0.0] * len(model.layers)] * scales
    with pytest.raises(ValueError, match=r"Argument 'magnitudes' must have . entries, one per scale"):
        propagate_model(model, magnitudes[1:], local, drawn=True)
    with pytest.raises(ValueError, match=r"Argument 'local_errors' must have . entries, one per scale"):
        propagate_model(model, magnitudes, local[1:], drawn=True)
    with pytest.raises(ValueError, match=r"Argument 'local_errors' must have . entries per scale"):
        propagate_model(model, magnitudes, [[]] * scales, drawn=True)
    with pytest.raises(ValueError, match=r"Argument 'magnitudes' must have . entries per scale"):
        propagate_model(model, [[]] * scales, local, drawn=True)
    with pytest.raises(ValueError, match="Argument 'initial' must be at least 0"):
        propagate_model(model, magnitudes, local, drawn=True, initial=-1.0)
