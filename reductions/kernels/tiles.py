"""The sizes of the kernels' tiles: the compiled kernels and the rounding bound must agree on them."""

from __future__ import annotations

TILE = 128
"""Tokens in a tile. Over so many tokens, or monomials, the kernels sum in their own type, then in float64."""

CHUNK = 32
"""Tokens or monomials summed one after the other; the sums of TILE // CHUNK chunks are then added."""

ROW_BLOCK = 8
"""Rows of the state that are held in registers at a time; buffers are padded with zero rows to a multiple."""

COLUMN_BLOCK = 4
"""Columns of the output that are held in registers at a time."""

REGISTER = 64
"""Bytes of a vector."""

SINGLE_COLUMNS = 3
"""So many columns beyond whole vectors are absorbed one by one, more in a vector that is padded."""

KEY_TILE = 128
"""Keys that exact attention takes at a time. Over so many it sums in its own type, then in float64."""

QUERY_REGISTERS = 4
"""Vectors of queries that exact attention works on at a time."""
