"""Vectors as text: exact round trips, one line about the line that is wrong, bounded memory."""

import contextlib
import gzip
import io
import re
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.vector_text import (
    VectorTextError,
    format_vectors,
    holds_vectors,
    parse_vectors,
    read_vectors,
    write_vectors,
)


@st.composite
def vector_pairs(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(0, 70)))
    sides = arrays(np.uint8, shape, elements=st.integers(0, 1))
    return OrthogonalVectors(draw(sides), draw(sides))


@st.composite
def bounded_products(draw):
    dimension = draw(st.integers(0, 4))
    entries = st.floats(-1, 1)  # subnormal numbers and -0.0 included
    left = draw(arrays(np.float64, (draw(st.integers(1, 4)), dimension), elements=entries))
    right = draw(arrays(np.float64, (draw(st.integers(1, 4)), dimension), elements=entries))
    positive = st.floats(0, exclude_min=True, allow_infinity=False)
    threshold = st.floats(allow_nan=False, allow_infinity=False)
    return GapMaxInnerProduct(left, right, draw(threshold), draw(positive))


instances = st.one_of(vector_pairs(), bounded_products())


def bits(problem):
    numbers = [problem.threshold, problem.gap] if isinstance(problem, GapMaxInnerProduct) else []
    return (
        problem.name,
        problem.left.shape,
        problem.right.shape,
        problem.left.tobytes(),
        problem.right.tobytes(),
        np.array(numbers).tobytes(),
    )


@given(instances, st.booleans())
@settings(max_examples=200)
def test_what_is_written_is_read_back_bit_for_bit(problem, compressed):
    stream = io.BytesIO()
    write_vectors(problem, stream, comments=("any\ncomment", "ü p ov 1 1"))
    content = gzip.compress(stream.getvalue()) if compressed else stream.getvalue()
    found, whole = holds_vectors(io.BytesIO(content))
    assert found
    assert bits(read_vectors(whole)) == bits(read_vectors(io.BytesIO(content))) == bits(problem)


EXAMPLE = OrthogonalVectors([[0, 1, 1], [1, 0, 0]], [[1, 1, 1], [0, 0, 0]])


@pytest.mark.parametrize(
    "text",
    [
        "p ov 2 3\n011\n100\n111\n000\n",
        "c x\n\np  ov\t2 3\r\n0 1 1\r\n c between\r\n1 00\r\n\r\n11 1\r\n000",
        "c" + " long" * 30_000 + "\np ov 2 3\n011\n100\n" + " " * 9000 + "\n111\n000\nc end",
    ],
)
def test_spacing_and_comments(text, tmp_path):
    path = tmp_path / "x"
    for content in (text.encode(), gzip.compress(text.encode())):
        path.write_bytes(content)
        assert bits(read_vectors(str(path))) == bits(parse_vectors(text)) == bits(EXAMPLE)


def test_the_text_is_as_documented():
    assert format_vectors(EXAMPLE) == "p ov 2 3\n011\n100\n111\n000\n"
    problem = GapMaxInnerProduct([[0.5, -1]], [[1e-3, 0], [1, 1]], 0.1, 0.25)
    assert format_vectors(problem) == "p gap-max-ip 1 2 2 0.1 0.25\n0.5 -1\n0.001 0\n1 1\n"
    with pytest.raises(TypeError, match="must be of ov or gap-max-ip, not of cnf"):
        format_vectors(RUNNING_EXAMPLE)


def test_the_examples_on_the_page_are_read():
    page = (Path(__file__).parents[2] / "book" / "practice" / "instance_file.md").read_text(encoding="utf-8")
    texts = re.findall(r"```\{code-block\} text\n:caption: small\.\w+\n\n(.*?)```", page, re.DOTALL)
    products, numbers = map(parse_vectors, texts)
    assert products.solve_brute_force() == (0, 0)
    assert numbers.sizes == {"N_u": 1, "N_v": 2, "D": 3, "s": 1.5, "gap": 0.25}
    assert numbers.solve_brute_force() == (0, 0)


REFUSED = {
    "": "Line 1: there is no header 'p ov N m' or 'p gap-max-ip N_u N_v D s gap'",
    "c\np cnf 1 1\n": "Line 2: expected the header",
    "p ov 2\n": "Line 1: the header must be 'p ov N m', not 'p ov 2'",
    "p ov 2 x\n": "natural numbers, not 'x'",
    "p ov -2 3\n": "natural numbers, not '-2'",
    "p ov ² 3\n": r"natural numbers, not '\xc2\xb2'",
    "p ov 0 3\n": "at least one vector",
    "p ov 1 2\n01\n1x\n": "Line 3: expected zeros and ones, not 'x'",
    "p ov 1 2\n01\n2 1\n": "Line 3: expected zeros and ones, not '2'",
    "p ov 1 2\n01\n1\n": "Line 3: expected 2 coordinates, not 1",
    "p ov 1 2\n01 1\n": "Line 2: expected 2 coordinates, not 3",
    "p ov 1 2\n01\nc\n": "Line 3: the file ends before the 1 right vectors",
    "p ov 1 2\n01\n\n10\n11\n": "Line 5: more vectors than the header states",
    "p ov 1 2\n" + "0" * 10_000: "Line 2: the line is too long",
    "p ov 1 99999999\n": "more than 1,048,576 coordinates",
    "p ov 99999999999999999 0\n": "entries are not read",
    "p ov 1" + "0" * 40 + " 0\n": "natural numbers",
    "p gap-max-ip 1 1 1 0\n": "the header must be 'p gap-max-ip N_u N_v D s gap'",
    "p gap-max-ip 1 1 1 0 0\n": "gap must be positive",
    "p gap-max-ip 1 1 1 1e999 1\n": "must be finite",
    "p gap-max-ip 1 1 1 nan 1\n": "expected a decimal number",
    "p gap-max-ip 1 1 1 1 1\n0.5\n1_0\n": "Line 3: expected a decimal number of at most 32 characters",
    "p gap-max-ip 1 1 1 1 1\n0.5\n0x1\n": "expected a decimal number",
    "p gap-max-ip 1 1 1 1 1\n-1.5\n1\n": "Line 2: entries must be between -1 and 1, not '-1.5'",
    "p gap-max-ip 1 1 2 1 1\n1 1 1\n": "Line 2: expected 2 coordinates, not 3",
    "c\n" * 1_100_000: "more than 16 MiB, or a million lines",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:24]))
def test_wrong_texts_are_refused_in_one_line(text):
    with pytest.raises(VectorTextError) as caught:
        parse_vectors(text)
    assert REFUSED[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_large_header_allocates_nothing():
    tracemalloc.start()
    with pytest.raises(VectorTextError, match="file ends before"):
        parse_vectors("p ov 100000 1000\n")
    with pytest.raises(VectorTextError, match="file ends before"):
        parse_vectors("p gap-max-ip 10000 10000 1000 0 1\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@given(instances, st.data())
@settings(max_examples=200)
def test_truncated_texts_are_refused_or_end_within_the_last_number(problem, data):
    text = format_vectors(problem).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    try:
        found = parse_vectors(cut)
    except VectorTextError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        # Only a number at the very end can be shorter and still be one: of the last vector, or, where
        # vectors have no coordinates, of the header.
        assert found.name == problem.name
        assert text[len(cut) :].strip(b"0123456789.eE+-") in (b"", b"\n")


@given(instances, st.data())
@settings(max_examples=300)
def test_damaged_texts_are_read_or_refused(problem, data):
    content = bytearray(format_vectors(problem).encode())
    compressed = data.draw(st.booleans())
    if compressed:
        content = bytearray(gzip.compress(content))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        _, whole = holds_vectors(io.BytesIO(content))
        found = read_vectors(whole)
    except VectorTextError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert parse_vectors(format_vectors(found)).sizes == found.sizes


@given(st.binary(max_size=100).map(lambda tail: b"p ov 2 3\n" + tail) | st.binary(max_size=100))
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused(content):
    with contextlib.suppress(VectorTextError):
        assert read_vectors(io.BytesIO(content)).sizes["N"] == 2


def test_a_damaged_gzip_file_is_refused():
    content = gzip.compress(format_vectors(EXAMPLE).encode())
    for length in range(3, len(content)):
        with pytest.raises(VectorTextError):
            read_vectors(holds_vectors(io.BytesIO(content[:length]))[1])
