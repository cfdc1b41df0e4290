"""Compute what was chosen, whatever its kind, and certify it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reductions.fast_attention.certificate import AttentionCertificate, Method
from reductions.fast_attention.choice import Choice, ExactChoice, LowRankChoice, PlannedChoice
from reductions.fast_attention.cost_model import exact_operations, feature_operations, low_rank_operations
from reductions.fast_attention.prepared_layer import PreparedLayer
from reductions.kernels.exact_kernel import exact_attention
from reductions.layers.arrays import Floats
from reductions.layers.streamed_attention import streamed_attention
from reductions.system.threads import usable_cores
from reductions.upper_bound.monomial_features import feature_count


def attend(layer: PreparedLayer, choices: Sequence[Choice], workers: int) -> Floats:
    """Return the output of all blocks, shape (L_q, d_v), by the choice of each."""
    output = np.empty((len(layer.queries), layer.sizes[1]))
    degree, state = state_degree(choices), None
    for choice in choices:
        block = choice.block
        rows = slice(block.start, block.stop)
        # What imports numba waits until it is needed.
        if isinstance(choice, ExactChoice):
            output[rows] = _exact(layer, choice, workers)
        elif isinstance(choice, PlannedChoice):
            from reductions.fast_attention.planned_features.planned_attention import planned_output

            output[rows] = planned_output(choice.plan, layer.values, dtype=choice.dtype, threads=workers)
        elif isinstance(choice, LowRankChoice):
            from reductions.upper_bound.block_causal_state import BlockCausalState

            if state is None:
                assert degree is not None
                state = BlockCausalState(*layer.sizes, degree, dtype=choice.dtype, threads=workers)
            new = slice(state.tokens, block.keys)
            state.absorb(layer.keys[new], layer.values[new])
            output[rows] = state.attend(
                layer.queries[rows], choice.polynomial.coefficients, layer.inputs.temperature
            )
    if layer.origin is not None:
        output += layer.origin
    return output


def state_degree(choices: Sequence[Choice]) -> int | None:
    """Return the degree of the state that all low-rank blocks read; None where there is none."""
    used = [choice for choice in choices if isinstance(choice, LowRankChoice)]
    return max((choice.polynomial.degree for choice in used), default=None)


def state_operations(layer: PreparedLayer, choices: Sequence[Choice]) -> int:
    """Return the multiply-adds that build the state."""
    degree = state_degree(choices)
    if degree is None:
        return 0
    absorbed = max(choice.block.keys for choice in choices if isinstance(choice, LowRankChoice))
    return low_rank_operations(absorbed, *layer.sizes, degree)


def certificate(layer: PreparedLayer, choice: Choice, further_operations: int = 0) -> AttentionCertificate:
    """Return the certificate of a block.

    Parameters
    ----------
    layer, choice
        The layer and how the block is computed.
    further_operations
        Multiply-adds that are counted with it: those of its state.
    """
    block, (d, value_dimension) = choice.block, layer.sizes
    method = Method.LOW_RANK
    degree: int | None
    rank: int | None
    epsilon: float | None
    if isinstance(choice, LowRankChoice):
        polynomial = choice.polynomial
        degree, rank, epsilon = polynomial.degree, feature_count(d, polynomial.degree), polynomial.error
        operations = low_rank_operations(block.queries, d, value_dimension, degree)
    elif isinstance(choice, PlannedChoice):
        degree, rank, epsilon = choice.plan.degree, choice.plan.rank, choice.plan.epsilon
        tokens = block.queries + block.keys
        # New coordinates, and the keys' weights.
        operations = tokens * d * d + block.keys * (d + value_dimension)
        operations += feature_operations(tokens, d, value_dimension, rank)
    else:
        method, degree, rank, epsilon = Method.EXACT, None, None, None
        operations = exact_operations(block.queries, block.keys, d, value_dimension)
    return AttentionCertificate(
        method=method,
        reason=choice.reason,
        tolerance=layer.inputs.tolerance,
        degree=degree,
        rank=rank,
        epsilon=epsilon,
        low=choice.low,
        high=choice.high,
        approximation_error=choice.approximation_error,
        rounding_error=choice.rounding_error,
        error_bound=choice.error_bound,
        operations=operations + further_operations,
        dtype=str(choice.dtype),
        queries=block.queries,
        keys=block.keys,
    )


def worker_count(threads: int | None) -> int:
    """Return how many threads to use: those given, or one a processor.

    Raises
    ------
    TypeError, ValueError
        If it is not None or a whole number from 1 on.
    """
    if threads is None:
        return usable_cores()
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer):
        raise TypeError(f"Argument 'threads' must be a whole number or None, not {threads!r}.")
    if threads < 1:
        raise ValueError(f"Argument 'threads' must be at least 1, not {threads}.")
    return int(threads)


def _exact(layer: PreparedLayer, choice: ExactChoice, threads: int) -> Floats:
    block = choice.block
    # Queries keep their type until they are divided by tau: before, they may be out of float32's range.
    queries = layer.queries[block.start : block.stop]
    keys, values = (
        array[: block.keys].astype(choice.dtype, copy=False) for array in (layer.keys, layer.values)
    )
    attend = exact_attention if choice.compiled else streamed_attention
    return attend(queries, keys, values, layer.inputs.temperature, threads=threads)
