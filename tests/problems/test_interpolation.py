"""Up-interpolation: against torch, against rational arithmetic, and its argument errors."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import kron

from reductions.problems.interpolation import Interpolation, Kernel

ROUNDING = Fraction(1, 2**53)
RULES = [
    Interpolation(kernel, a, aligned)
    for kernel in Kernel
    for a in ((-1.0, -0.75, -0.3, 0.0) if kernel is Kernel.BICUBIC else (-0.75,))
    for aligned in (False, True)
]
SHAPES = [
    ((13, 13), (16, 16)),
    ((10, 10), (13, 13)),
    ((3, 3), (7, 7)),
    ((10, 3), (13, 16)),
    ((1, 1), (1, 1)),
    ((1, 5), (4, 5)),
    ((2, 1), (3, 8)),
    ((2, 3), (256, 31)),
    ((8, 16), (16, 32)),
    ((7, 40), (40, 43)),
]

rules = st.builds(Interpolation, st.sampled_from(Kernel), st.floats(-1, 0), st.booleans())
axes = st.tuples(st.integers(1, 24), st.integers(1, 24)).map(sorted)


def torch_interpolate(grid: np.ndarray, shape: tuple[int, int], kernel: Kernel) -> np.ndarray:
    channels_first = torch.from_numpy(grid).permute(2, 0, 1)[None]
    options = {} if kernel is Kernel.NEAREST else {"align_corners": False}
    fine = torch.nn.functional.interpolate(channels_first, size=shape, mode=kernel.value, **options)
    return fine[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("kernel", Kernel)
@pytest.mark.parametrize(("coarse", "fine"), SHAPES)
def test_equals_torch_on_maps(kernel, coarse, fine):
    grid = np.random.default_rng(0).uniform(-1, 1, (*coarse, 3))
    ours = Interpolation(kernel).apply(grid, fine)
    np.testing.assert_allclose(ours, torch_interpolate(grid, fine, kernel), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel", Kernel)
def test_equals_torch_on_every_small_axis(kernel):
    for coarse in range(1, 33):
        unit = np.eye(coarse)[:, None, :]  # one channel a column of the operator
        for fine in range(coarse, 41, 1 + coarse % 3):
            theirs = torch_interpolate(unit, (fine, 1), kernel)[:, 0]
            ours = Interpolation(kernel).matrix(coarse, fine).toarray()
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_torch_rounds_the_ratio_of_nearest():
    # torch computes floor(i * float32(h/h')): one pixel off where i h/h' is an integer and h/h' rounds down.
    axis = np.arange(26.0)[:, None, None]
    ours = Interpolation(Kernel.NEAREST).apply(axis, (44, 1)).ravel()
    theirs = torch_interpolate(axis, (44, 1), Kernel.NEAREST).ravel()
    assert ours.tolist() == [i * 26 // 44 for i in range(44)]
    assert np.abs(ours - theirs).max() <= 1


@given(rules, axes)
def test_weights_are_accurate_and_zeros_exact(rule, axis):
    exact = rule.exact_matrix(*axis)
    matrix = rule.matrix(*axis)
    assert (matrix.data != 0).all()
    assert matrix.has_canonical_format
    for row, exact_row in zip(matrix.toarray(), exact, strict=True):
        assert sum(exact_row) == 1
        for weight, exact_weight in zip(row, exact_row, strict=True):
            assert abs(Fraction(weight) - exact_weight) <= 16 * ROUNDING
            assert (weight == 0) == (exact_weight == 0) or 0 < abs(exact_weight) < 1e-300


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_equal_sizes_give_the_identity_and_one_pixel_a_constant(rule):
    assert (rule.matrix(9, 9).toarray() == np.eye(9)).all()
    assert (rule.matrix(1, 7).toarray() == np.ones((7, 1))).all()


def test_half_pixel_rows_mirror_and_aligned_rows_interpolate():
    for kernel in (Kernel.BILINEAR, Kernel.BICUBIC):
        matrix = Interpolation(kernel).matrix(10, 13).toarray()
        np.testing.assert_allclose(matrix, matrix[::-1, ::-1], rtol=0, atol=2.0**-50)
        assert (Interpolation(kernel, aligned=True).matrix(8, 16).toarray()[::2] == np.eye(8)).all()


def test_known_rows():
    # Doubling: phases 1/4 and 3/4. Keys at a = -3/4 weighs 1/4, 3/4, 5/4, 7/4 away as below.
    row = Interpolation().exact_matrix(8, 16)[6]  # samples position 11/4
    assert row[1:5] == [Fraction(n, 256) for n in (-9, 67, 225, -27)]
    assert Interpolation(Kernel.BILINEAR).exact_matrix(8, 16)[6][2:4] == [Fraction(1, 4), Fraction(3, 4)]


@given(rules, axes, axes, st.data())
def test_block_and_apply_are_the_kronecker_product(rule, rows, columns, data):
    (h, fine_h), (w, fine_w) = rows, columns
    operator = kron(rule.matrix(h, fine_h), rule.matrix(w, fine_w)).toarray()
    start = data.draw(st.integers(0, fine_h * fine_w))
    stop = data.draw(st.integers(start, fine_h * fine_w))
    pixel = st.tuples(st.integers(0, h - 1), st.integers(0, w - 1))
    wanted = np.array(data.draw(st.lists(pixel, max_size=5)), dtype=np.int64).reshape(-1, 2)
    block = rule.block((h, w), (fine_h, fine_w), slice(start, stop), wanted)
    assert (block.toarray() == operator[start:stop, wanted @ (w, 1)]).all()
    grid = np.random.default_rng(0).uniform(-1, 1, (h, w, 2))
    applied = rule.apply(grid, (fine_h, fine_w)).reshape(-1, 2)
    np.testing.assert_allclose(applied, operator @ grid.reshape(-1, 2), rtol=0, atol=1e-13)


def test_matrices_are_kept_and_read_only():
    matrix = Interpolation().matrix(13, 16)
    assert Interpolation().matrix(13, 16) is matrix
    with pytest.raises(ValueError, match="read-only"):
        matrix.data[0] = 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Interpolation("cubic"), "Argument 'kernel' must be one of 'nearest', 'bilinear', 'bicubic'"),
        (lambda: Interpolation(a=-1.5), "Argument 'a' must be between -1 and 0, not -1.5"),
        (lambda: Interpolation(a=float("nan")), "Argument 'a' must be between -1 and 0"),
        (lambda: Interpolation().matrix(0, 3), "Argument 'coarse' must be at least 1, not 0"),
        (lambda: Interpolation().matrix(3, 2), "Argument 'fine' must be at least the coarse size 3, not 2"),
        (lambda: Interpolation().exact_matrix(3, 2), "Argument 'fine' must be at least"),
        (lambda: Interpolation().apply(np.zeros((3, 3)), (4, 4)), "Argument 'grid' must have shape"),
        (lambda: Interpolation().apply(np.zeros((3, 3, 1)), (4, 2)), "Argument 'fine' must be at least"),
        (lambda: Interpolation().block((2, 2), (3, 3), slice(0, 9, 2), [(0, 0)]), "Argument 'rows' must be"),
        (lambda: Interpolation().block((2, 2), (3, 3), slice(9), [(0, 2)]), "pixels of a map of shape"),
        (lambda: Interpolation().block((2, 2), (3, 3), slice(9), [0.5, 1]), "Argument 'columns' must be"),
    ],
)
def test_argument_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_kernel_names_are_accepted_as_text():
    assert Interpolation("bilinear", a=-1) == Interpolation(Kernel.BILINEAR, a=-1.0)
    assert [Interpolation(kernel).support_radius for kernel in Kernel] == [0.5, 1, 2]
