"""Instance files: what is written is read back, and nothing damaged or tampered with is."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file, save_file

from reductions.atomic import atomic_path, write_text
from reductions.instance_file import InstanceFileError, read_instance, read_manifest, write_instance
from reductions.instance_verification import Outcome, verify_instance
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.manifest import plain
from reductions.problem_codecs import codec, problem_names
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.cnf import CNF, RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.random_instances import random_gap_max_ip


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
@settings(max_examples=150, deadline=None)
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
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_refused(scratch, content):
    scratch.write_bytes(content)
    with pytest.raises(InstanceFileError):
        read_instance(scratch)


def with_header(header, data=b"", padding=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text + padding).to_bytes(8, "little") + text + padding + data


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HUGE = 2**50

MALFORMED = {
    "text": (b"p cnf 1 1\n1 0\n" * 3, "not a safetensors file"),
    "huge header": ((2**62).to_bytes(8, "little") + b"{}", "not a safetensors file"),
    "header beyond the end": ((50).to_bytes(8, "little") + b"{}", "not a whole safetensors file"),
    "no object": (with_header(b"[1, 2]"), "not a JSON object"),
    "no JSON": (with_header(b"{nothing}"), "header is damaged"),
    "no UTF-8": (with_header(b'{"\xff": 1}'), "header is damaged"),
    "NaN": (with_header(b'{"Q": NaN}'), "header is damaged"),
    "deeply nested": (with_header(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "header is damaged"),
    "repeated tensor": (with_header(b'{"Q": 1, "Q": 1}'), "repeated"),
    "entry of another kind": (with_header({"Q": 1}), "malformed"),
    "entry with a surplus": (with_header({"Q": {**entry(), "x": 1}}, b"\0" * 8), "malformed"),
    "negative shape": (with_header({"Q": entry(shape=(-1,))}, b"\0" * 8), "malformed"),
    "true for a shape": (with_header({"Q": entry(shape=(True,))}, b"\0" * 8), "malformed"),
    "unknown type": (with_header({"Q": entry("F8_E4M3")}, b"\0" * 8), "not supported"),
    "type of another kind": (with_header({"Q": entry(["F64"])}, b"\0" * 8), "not supported"),
    "huge tensor": (with_header({"Q": entry(shape=(HUGE,), offsets=(0, 8 * HUGE))}, b"\0" * 8), "declares"),
    "size and shape differ": (with_header({"Q": entry(shape=(2,))}, b"\0" * 8), "takes 16 bytes"),
    "hole": (with_header({"Q": entry(offsets=(8, 16))}, b"\0" * 16), "begins at byte"),
    "overlap": (with_header({"Q": entry(), "K": entry()}, b"\0" * 8), "begins at byte"),
    "data to spare": (with_header({"Q": entry()}, b"\0" * 9), "declares"),
    "metadata of another kind": (with_header({"__metadata__": {"subquartic": 1}}), "metadata"),
    "no manifest": (with_header({"Q": entry()}, b"\0" * 8), "not an instance file"),
    "empty manifest": (with_header({"__metadata__": {"subquartic": "{}"}}), "schema version"),
    "manifest of another kind": (with_header({"__metadata__": {"subquartic": "[]"}}), "JSON object"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_refused_with_one_line_and_no_allocation(tmp_path, case):
    content, message = MALFORMED[case]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InstanceFileError, match=re.escape(message)) as caught:
            read_instance(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert peak < 20_000_000


def rewrite(path, change, rehash=True, tensors=None):
    """Change the manifest of a file as a forger would who knows how its own hash is made."""
    manifest = read_manifest(path).as_dict()
    del manifest["sha256"]
    change(manifest)
    if rehash:
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
        manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    save_file(load_file(path) if tensors is None else tensors, path, metadata={"subquartic": text})


TAMPERED = {
    "another schema": (lambda m: m.update(schema=2), "this program reads version 1"),
    "schema true": (lambda m: m.update(schema=True), "schema version"),
    "another problem": (lambda m: m.update(problem="sorting"), "is unknown"),
    "problem of another shape": (lambda m: m.update(problem="ov"), "malformed"),
    "missing field": (lambda m: m.pop("chain"), "lacks 'chain'"),
    "surplus field": (lambda m: m.update(colour="red"), "unknown field 'colour'"),
    "missing parameter": (lambda m: m.update(parameters={"s": 1.0}), "parameters must be"),
    "parameter of another kind": (lambda m: m["parameters"].update(s="1"), "must be a number"),
    "gap of zero": (lambda m: m["parameters"].update(gap=0), "malformed"),
    "another size": (lambda m: m["sizes"].update(D=3), "says D = 3"),
    "missing tensor": (lambda m: m["tensors"].pop("U"), "not in the manifest"),
    "surplus tensor": (lambda m: m["tensors"].update(W=m["tensors"]["U"]), "'W' of the manifest is missing"),
    "another shape": (lambda m: m["tensors"]["U"].update(shape=[4, 1]), "the manifest says"),
    "another hash": (lambda m: m["tensors"]["U"].update(sha256="0" * 64), "SHA-256 of tensor 'U'"),
    "hash of another kind": (lambda m: m["tensors"]["U"].update(sha256="zz"), "'tensors' must be"),
    "answer of another kind": (lambda m: m.update(answer="MAYBE"), "'answer' must be"),
    "answer that is a list": (lambda m: m.update(answer=["YES"]), "'answer' must be"),
    "answer known by nothing": (lambda m: m.update(known_by="unknown"), "known by"),
    "witness of NO": (lambda m: m.update(answer="NO"), "has a witness"),
    "witness that is none": (lambda m: m.update(witness=[1, 1]), "witness in the manifest does not verify"),
    "witness out of range": (lambda m: m.update(witness=[0, 99]), "witness in the manifest does not verify"),
    "witness of another shape": (lambda m: m.update(witness=7), "witness in the manifest does not verify"),
    "step of another kind": (lambda m: m.update(chain=["split"]), "'chain' must be"),
    "seed of another kind": (lambda m: m.update(seed=0.5), "'seed' must be"),
    "read-out positions nowhere": (
        lambda m: m.update(read_out={"positions": "W", "threshold": 0.5, "tolerated_error": 0.1}),
        "in no tensor",
    ),
    "read-out of another kind": (lambda m: m.update(read_out={"positions": "all"}), "'read_out' must be"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_manifest_is_refused_even_with_a_new_hash(tmp_path, case):
    change, message = TAMPERED[case]
    path = tmp_path / "t.safetensors"
    write_instance(path, bounded_instance(), answer="YES", known_by="solver", witness=(0, 0))
    rewrite(path, change)
    with pytest.raises(InstanceFileError, match=re.escape(message)) as caught:
        read_instance(path)
    assert "\n" not in str(caught.value)


def test_a_tampered_manifest_with_the_old_hash_is_refused(tmp_path):
    path = tmp_path / "t.safetensors"
    write_instance(path, bounded_instance(), seed=1)
    sha256 = read_manifest(path).as_dict()["sha256"]
    rewrite(path, lambda m: m.update(seed=2, sha256=sha256), rehash=False)
    with pytest.raises(InstanceFileError, match="own SHA-256 does not match"):
        read_manifest(path)


def forged(path, **tensors):
    """Replace tensors and their hashes."""
    from reductions.instance_file import tensor_entry

    everything = {**load_file(path), **tensors}
    entries = {name: tensor_entry(name, tensor) for name, tensor in everything.items()}
    rewrite(path, lambda m: m.update(tensors=entries), tensors=everything)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (np.array([[1.0, 2.0], [0.0, 0.0]]), "between -1 and 1"),
        (np.array([[np.nan, 0.0], [0.0, 0.0]]), "NaN or infinity"),
        (np.array([[np.inf, 0.0], [0.0, 0.0]]), "NaN or infinity"),
        (np.zeros((2, 3)), "columns"),
        (np.zeros(4), "2 axes"),
        (np.zeros((2, 2), np.float32), "of float64"),
        (np.zeros((0, 2)), "at least one"),
    ],
)
def test_forged_tensors_are_refused_by_the_problem_itself(tmp_path, tensor, message):
    path = tmp_path / "t.safetensors"
    write_instance(path, bounded_instance())
    forged(path, U=tensor)
    with pytest.raises(InstanceFileError, match=message):
        read_instance(path)


def test_logits_beyond_float64_are_refused_without_a_warning(tmp_path):
    path = tmp_path / "a.safetensors"
    write_instance(
        path, ReferenceKeyAttention(AttentionInstance([[1.0]], [[9.0], [5.0]], [[1], [0]], 1.0), 5, 2)
    )
    forged(path, Q=np.array([[1e200]]), K=np.array([[1e200], [1e200]]))
    with pytest.raises(InstanceFileError, match="malformed"):
        read_instance(path)


@pytest.mark.parametrize(
    "offsets", [[0, 2, 1, 18], [1, 18], [0, 17], [], [0, -1, 18], [0, 2**62, 18]], ids=str
)
def test_clause_offsets_are_checked(tmp_path, offsets):
    path = tmp_path / "f.safetensors"
    write_instance(path, RUNNING_EXAMPLE)
    forged(path, offsets=np.array(offsets, dtype=np.int64))
    with pytest.raises(InstanceFileError, match="offsets"):
        read_instance(path)


def outcomes(path, **options):
    return {check.name: check.outcome for check in verify_instance(path, **options).checks}


def test_verification_recomputes_the_answer(tmp_path):
    path = tmp_path / "t.safetensors"
    for problem, answer in (
        (bounded_instance(), "YES"),
        (GapMaxInnerProduct([[0.0]], [[1.0]], 1, 0.5), "NO"),
    ):
        other = "NO" if answer == "YES" else "YES"
        write_instance(path, problem, answer=answer, known_by="solver")
        assert verify_instance(path).ok
        assert outcomes(path)["witness"] is Outcome.SKIPPED
        write_instance(path, problem, answer=other, known_by="planted")
        assert not verify_instance(path).ok
        assert outcomes(path)["answer"] is Outcome.FAILED
        assert outcomes(path, affordable_work=0)["answer"] is Outcome.SKIPPED


def test_verification_finds_a_broken_promise(tmp_path):
    path, broken = tmp_path / "t.safetensors", GapMaxInnerProduct([[0.75]], [[1.0]], 1, 0.5)
    write_instance(path, broken)
    assert outcomes(path)["promise"] is Outcome.FAILED
    write_instance(path, broken, answer="OUTSIDE_PROMISE", known_by="solver")
    assert verify_instance(path).ok


def test_verification_rechecks_the_formula(tmp_path):
    from reductions.instance_file import formula_digest

    path, text = tmp_path / "t.safetensors", RUNNING_EXAMPLE.to_dimacs()
    write_instance(path, RUNNING_EXAMPLE, formula_sha256=formula_digest(text))
    assert outcomes(path)["source formula"] is Outcome.OK
    write_instance(path, RUNNING_EXAMPLE, formula_sha256=formula_digest(text + "c"))
    assert outcomes(path)["source formula"] is Outcome.FAILED


def test_verification_reports_damage_as_a_failed_check(tmp_path):
    path = tmp_path / "t.safetensors"
    write_instance(path, RUNNING_EXAMPLE)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert outcomes(path) == {"manifest": Outcome.OK, "hashes": Outcome.FAILED}
    with pytest.raises(FileNotFoundError):
        verify_instance(tmp_path / "absent")


def test_false_claims_are_not_written(tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(ValueError, match="must verify"):
        write_instance(
            path, RUNNING_EXAMPLE, answer="YES", known_by="solver", witness=(False, True, True, True)
        )
    with pytest.raises(ValueError, match="known by"):
        write_instance(path, RUNNING_EXAMPLE, answer="YES")
    with pytest.raises(ValueError, match="'seed' must be"):
        write_instance(path, RUNNING_EXAMPLE, seed="0")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_by_an_error_or_an_interrupt(tmp_path):
    path = tmp_path / "t"
    write_text(path, "old")
    for error in (OSError, KeyboardInterrupt):
        with pytest.raises(error), atomic_path(path) as temporary:  # noqa: PT012
            temporary.write_text("half")
            raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_to_be_replaced_is_not(tmp_path):
    path = tmp_path / "t"
    write_text(path, "old")
    with pytest.raises(FileExistsError, match="exists already"):
        write_instance(path, RUNNING_EXAMPLE, overwrite=False)
    assert path.read_text() == "old"
    with pytest.raises(ValueError, match="not a regular file"):
        write_text(tmp_path, "x")
    with pytest.raises(ValueError, match="not a regular file"):
        write_text("/dev/null", "x")
    with pytest.raises(FileNotFoundError, match="no directory"):
        write_text(tmp_path / "a" / "b", "x")
    with pytest.raises(InstanceFileError, match="not a regular file"):
        read_instance("/dev/null")


def test_links_are_followed_and_the_umask_holds(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_instance(link, RUNNING_EXAMPLE)
    assert link.is_symlink()
    assert read_instance(target)[0] == RUNNING_EXAMPLE
    umask = os.umask(0)
    os.umask(umask)
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask


WRITER = """
import sys
import numpy as np
from reductions.instance_file import write_instance
from reductions.problems.orthogonal_vectors import OrthogonalVectors
instance = OrthogonalVectors.random(3000, 2000, seed=int(sys.argv[2]))
print("ready", flush=True)
while True:
    write_instance(sys.argv[1], instance)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path):
    path = tmp_path / "t.safetensors"
    whole = 0
    for attempt in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(attempt)], stdout=subprocess.PIPE
        )
        with writer:
            assert writer.stdout.readline() == b"ready\n"
            try:
                writer.wait(0.03 + 0.05 * attempt)
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
        assert writer.returncode == -signal.SIGKILL
        if path.exists():  # the writer may not have come to its first file
            assert read_instance(path)[0].sizes == {"N": 3000, "m": 2000}
            whole += 1
    assert whole > 0
    assert all(file == path or file.name.startswith(".") for file in Path(tmp_path).iterdir())
