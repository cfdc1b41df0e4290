"""Instance files: what is written is read back, and nothing damaged or tampered with is."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file

from reductions.instance_files.codecs import codec, problem_names
from reductions.instance_files.manifest import plain
from reductions.instance_files.read_write import (
    InstanceFileError,
    read_instance,
    read_manifest,
    write_instance,
)
from reductions.instance_files.verification import verify_instance
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.problems.random_instances import random_gap_max_ip


@st.composite
def formulas(draw):
    variables = draw(st.integers(0, 6))
    literals = st.sampled_from([s * v for v in range(1, variables + 1) for s in (1, -1)] or [0])
    clause = st.lists(literals, max_size=4).map(tuple) if variables else st.just(())
    return CNF(variables, tuple(draw(st.lists(clause, max_size=6))))


@st.composite
def vector_pairs(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    sides = arrays(np.uint8, shape, elements=st.integers(0, 1))
    return OrthogonalVectors(draw(sides), draw(sides))


@st.composite
def bounded_products(draw):
    dimension, entries = draw(st.integers(1, 4)), st.floats(-1, 1)
    left = draw(arrays(np.float64, (draw(st.integers(1, 4)), dimension), elements=entries))
    right = draw(arrays(np.float64, (draw(st.integers(1, 4)), dimension), elements=entries))
    return GapMaxInnerProduct(left, right, draw(st.floats(-4, 4)), draw(st.floats(0.125, 2)))


attentions = bounded_products().map(lambda source: GapMaxIPToAttention().map_instance(source).target)
instances = st.one_of(formulas(), vector_pairs(), bounded_products(), attentions)


def var_instance():
    drawn, _ = random_gap_max_ip(3, 4, seed=1, planted=True)
    middle = GapMaxIPToAttention().map_instance(drawn).target
    return AttentionToVar().map_instance(middle).target


def same(one, other):
    tensors, parameters = codec(one.name).to_tensors(one)
    others, other_parameters = codec(other.name).to_tensors(other)
    return (
        type(one) is type(other)
        and plain(parameters) == plain(other_parameters)
        and tensors.keys() == others.keys()
        and all(tensors[name].tobytes() == others[name].tobytes() for name in tensors)
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("instances") / "scratch.safetensors"


@given(instances)
@settings(max_examples=150)
def test_what_is_written_is_read_back(scratch, problem):
    written = write_instance(scratch, problem, seed=0, command_line="subquartic generate 'ü'")
    read, manifest = read_instance(scratch)
    assert manifest == written
    assert manifest == read_manifest(scratch)
    assert same(problem, read)
    assert manifest.sizes == dict(problem.sizes)


def test_every_problem_has_a_codec_under_its_own_name():
    assert [codec(name).problem_class.name for name in problem_names()] == list(problem_names())


def test_a_var_instance_is_read_back(tmp_path):
    path, problem = tmp_path / "v.safetensors", var_instance()
    write_instance(path, problem, answer="YES", known_by="solver", witness=problem.solve_brute_force())
    assert same(problem, read_instance(path)[0])
    assert verify_instance(path).ok


def test_tensors_are_plain_safetensors_with_mathematical_names(tmp_path):
    path, problem = tmp_path / "a.safetensors", bounded_instance()
    write_instance(path, problem)
    tensors = load_file(path)
    np.testing.assert_array_equal(tensors["U"], problem.left)
    np.testing.assert_array_equal(tensors["V"], problem.right)


def bounded_instance():
    return GapMaxInnerProduct([[1, 0.5], [0, -1]], [[1, 1], [0, 0]], 1.5, 0.25)


def test_a_fortran_ordered_matrix_keeps_its_entries(tmp_path):
    left = np.asfortranarray(np.arange(6).reshape(2, 3) % 2).astype(np.uint8, order="F")
    path = tmp_path / "ov.safetensors"
    write_instance(path, OrthogonalVectors(left, left))
    np.testing.assert_array_equal(read_instance(path)[0].left, left)


def test_the_same_instance_gives_the_same_bytes(tmp_path):
    one, other = tmp_path / "1", tmp_path / "2"
    for path in (one, other):
        write_instance(path, RUNNING_EXAMPLE, seed=3)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("problem", [RUNNING_EXAMPLE, bounded_instance()], ids=lambda p: p.name)
def test_every_changed_byte_is_detected(tmp_path, problem):
    path = tmp_path / "x.safetensors"
    write_instance(path, problem)
    whole = path.read_bytes()
    for position in range(len(whole)):
        # Flips of the lowest, the case and the highest bit; white space, which JSON might overlook.
        for byte in {whole[position] ^ 1, whole[position] ^ 0x20, whole[position] ^ 0x80, 0x20, 0x09}:
            if byte == whole[position]:
                continue
            change_byte(path, position, byte)
            with pytest.raises(InstanceFileError) as caught:
                read_instance(path)
            assert "\n" not in str(caught.value)
        change_byte(path, position, whole[position])
    read_instance(path)


def change_byte(path, position, byte):
    with path.open("r+b") as file:
        file.seek(position)
        file.write(bytes([byte]))


@pytest.mark.parametrize("problem", [RUNNING_EXAMPLE, bounded_instance()], ids=lambda p: p.name)
def test_every_truncation_and_extension_is_detected(tmp_path, problem):
    path = tmp_path / "x.safetensors"
    write_instance(path, problem)
    whole = path.read_bytes()
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(InstanceFileError):
            read_instance(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(InstanceFileError):
        read_instance(path)


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused(scratch, content):
    scratch.write_bytes(content)
    with pytest.raises(InstanceFileError):
        read_instance(scratch)


def test_false_claims_are_not_written(tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(ValueError, match="must verify"):
        write_instance(
            path, RUNNING_EXAMPLE, answer="YES", known_by="solver", witness=(False, True, True, True)
        )
    with pytest.raises(ValueError, match="known by"):
        write_instance(path, RUNNING_EXAMPLE, answer="YES")
    with pytest.raises(ValueError, match=r"manifest\.seed must be an integer"):
        write_instance(path, RUNNING_EXAMPLE, seed="0")
    assert list(tmp_path.iterdir()) == []
