"""Every reader of files, given damaged ones: it reads them or refuses them in one line, and nothing else."""

import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.ledger.files import LedgerError, read_ledger
from checks.performance.report import read_document
from reductions.instance_files.read_write import (
    InstanceFileError,
    read_instance,
    read_manifest,
    write_instance,
)
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE, DimacsError
from reductions.problems.random_instances import random_gap_max_ip


@st.composite
def damaged(draw, whole):
    """Draw flipped bits, a truncation, a repeated or a foreign piece."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        position = draw(st.integers(0, len(content) - 1))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "repeat", "digit"]))
        if kind == "flip":
            content[position] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del content[position + 1 :]
        elif kind == "insert":
            content[position:position] = draw(st.binary(max_size=9))
        elif kind == "repeat":
            content[position:position] = content[position : position + draw(st.integers(0, 40))]
        else:
            content[position] = draw(st.sampled_from(b"0123456789-"))
    return bytes(content)


def one_line(error):
    return "\n" not in str(error) and len(str(error)) < 1000


@given(st.data(), st.booleans())
@settings(max_examples=150)
def test_formulas(data, compressed):
    text = RUNNING_EXAMPLE.to_dimacs().encode()
    content = data.draw(damaged(gzip.compress(text) if compressed else text))
    try:
        formula = CNF.from_dimacs(io.BytesIO(content))
    except DimacsError as error:
        assert one_line(error)  # noqa: PT017
    else:
        assert CNF.from_dimacs(formula.to_dimacs()) == formula


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """An instance file of every problem."""
    folder = tmp_path_factory.mktemp("files")
    drawn, pair = random_gap_max_ip(3, 4, seed=1, planted=True)
    attention = GapMaxIPToAttention().map_instance(drawn).target
    problems = [RUNNING_EXAMPLE, drawn, attention, AttentionToVar().map_instance(attention).target]
    for problem in problems:
        known = {"answer": "YES", "known_by": "planted", "witness": pair} if problem is drawn else {}
        write_instance(folder / problem.name, problem, seed=1, **known)
    return [(folder / problem.name).read_bytes() for problem in problems]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "file"


@given(st.data())
@settings(max_examples=150)
def test_instance_files(files, scratch, data):
    whole = data.draw(st.sampled_from(files))
    content = data.draw(damaged(whole))
    scratch.write_bytes(content)
    if content == whole:
        read_instance(scratch)
        return
    with pytest.raises(InstanceFileError) as caught:
        read_instance(scratch)
    assert one_line(caught.value)


SIZES = st.sampled_from([-1, 0, 1, 2, 4, 2**31, 2**53, 2**63, 2**64, 10**4000, 1.0, True, None, "4", [4]])


@given(st.data())
@settings(max_examples=150)
def test_absurd_headers(files, scratch, data):
    whole = data.draw(st.sampled_from(files))
    length = int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8 : 8 + length])
    tensor = data.draw(st.sampled_from(sorted(set(header) - {"__metadata__"})))
    field = data.draw(st.sampled_from(["shape", "data_offsets", "dtype"]))
    value = data.draw(SIZES if field == "dtype" else st.lists(SIZES, max_size=10) | SIZES)
    if header[tensor][field] == value:
        return
    header[tensor][field] = value
    text = json.dumps(header).encode()
    scratch.write_bytes(len(text).to_bytes(8, "little") + text + whole[8 + length :])
    with pytest.raises(InstanceFileError) as caught:
        read_manifest(scratch)
    assert one_line(caught.value)


LEDGER = json.dumps({"schema_version": 1, "seed": 0, "statements": [{"id": "x"}], "packages": {}}).encode()


@given(st.data())
@settings(max_examples=150)
def test_ledgers_and_measurements(scratch, data):
    scratch.write_bytes(data.draw(damaged(LEDGER)))
    with pytest.raises(LedgerError):
        read_ledger(scratch)
    with pytest.raises(ValueError):  # noqa: PT011
        read_document(scratch)
