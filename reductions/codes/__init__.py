"""Finite fields and evaluation codes: the algebra under the distributed PCP."""
