"""Import what every check needs, once, in the process that the trials are forked from.

The project's own modules are imported anew in each trial; the libraries behind them are not.
"""

import flint  # noqa: F401
import mpmath  # noqa: F401
import networkx  # noqa: F401
import numba  # noqa: F401
import numpy  # noqa: F401
import scipy.special  # noqa: F401
import sympy  # noqa: F401

from checks.evidence.registry import registry

registry()
