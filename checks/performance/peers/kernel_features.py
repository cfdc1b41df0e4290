"""Two maintained kernel approximations of scikit-learn, turned into attention.

Both give features with <phi(q), psi(k)> close to exp(<q, k> / tau). Then attention is
phi(q) (psi(K)^T [V, 1]), numerator over denominator, in time linear in the number of tokens.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.performance.data import Inputs


def kernel_nystroem(inputs: Inputs, landmarks: int, seed: int) -> NDArray[Any]:
    """Approximate attention with ``sklearn.kernel_approximation.Nystroem``.

    exp(<q, k> / tau) = exp(|q|^2 / 2 tau) exp(-|q - k|^2 / 2 tau) exp(|k|^2 / 2 tau): the kernel in the
    middle is the built-in Gaussian one, the other factors are exact. (The same kernel as a Python function
    would be called once for every pair of points and be slower by orders of magnitude.) The factor of a
    query cancels.

    Landmarks are drawn from queries and keys together. float64, since eigenvalues near 0 are inverted.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    landmarks
        Their number, at most the number of queries and keys.
    seed
        Seed of the choice of landmarks.
    """
    from sklearn.kernel_approximation import Nystroem

    queries, keys, values = _double(inputs)
    generator = np.random.default_rng(seed)
    points = np.concatenate([queries, keys])
    # Fitting looks at nothing but the landmarks it draws; giving it only these saves a copy.
    drawn = generator.choice(len(points), size=min(landmarks, len(points)), replace=False)
    features = Nystroem(
        kernel="rbf", gamma=1 / (2 * inputs.temperature), n_components=len(drawn), random_state=seed
    ).fit(points[drawn])
    growth = np.exp((keys * keys).sum(axis=1, keepdims=True) / (2 * inputs.temperature))
    return _attend(features.transform(queries), features.transform(keys) * growth, values)


def tensor_sketch(inputs: Inputs, components: int, seed: int, *, degree: int = 4) -> NDArray[Any]:
    """Approximate attention with ``sklearn.kernel_approximation.PolynomialCountSketch``.

    It sketches the polynomial kernel (gamma <q, k> + c)^g, so the exponential is replaced by (1 + x / g)^g:
    with gamma = 1 / (g tau) and c = 1. The error of that replacement, about x^2 / 2g relatively, stays
    however many components there are; the sketch's own is random and unbiased for the kernel. A sketch of a
    better polynomial would need one sketch for each degree.

    Parameters
    ----------
    inputs
        Q, K, V and the temperature.
    components
        Length of the sketch.
    seed
        Seed of its hash functions.
    degree
        g.
    """
    from sklearn.kernel_approximation import PolynomialCountSketch

    queries, keys, values = _double(inputs)
    sketch = PolynomialCountSketch(
        gamma=1 / (degree * inputs.temperature),
        coef0=1,
        degree=degree,
        n_components=components,
        random_state=seed,
    ).fit(queries[:1])
    return _attend(sketch.transform(queries), sketch.transform(keys), values)


def _double(inputs: Inputs) -> list[NDArray[np.float64]]:
    return [matrix.astype(np.float64) for matrix in (inputs.queries, inputs.keys, inputs.values)]


def _attend(
    query_features: NDArray[np.float64], key_features: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    sums = query_features @ (key_features.T @ np.column_stack([values, np.ones(len(values))]))
    with np.errstate(divide="ignore", invalid="ignore"):  # a sketched denominator may be 0
        outputs: NDArray[np.float64] = sums[:, :-1] / sums[:, -1:]
    return np.where(np.isfinite(outputs), outputs, np.inf)
