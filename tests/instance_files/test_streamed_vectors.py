"""Instances larger than memory: the same bytes however they are drawn, true answers, whole files or none."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import reductions.instance_files.streamed_vectors
from reductions.instance_files.outcome import Outcome
from reductions.instance_files.read_write import (
    InstanceFileError,
    read_instance,
    read_manifest,
    tensor_entry,
    write_instance,
)
from reductions.instance_files.stream import write_stream
from reductions.instance_files.streamed_vectors import StreamedVectors, write_streamed_vectors
from reductions.instance_files.verification import verify_instance
from reductions.problems.orthogonal_vectors import OrthogonalVectors


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 40 entries, so that small instances have many."""
    monkeypatch.setattr(reductions.instance_files.streamed_vectors, "_BLOCK_ENTRIES", 40)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("streams") / "s.safetensors"


CHOICES = st.sampled_from([True, False, None])


@given(st.integers(1, 30), st.integers(1, 50), st.floats(0, 1), st.integers(0, 2**70), CHOICES, st.booleans())
@settings(max_examples=150)
def test_answers_hold_by_construction(scratch, vectors, dimension, density, seed, planted, near):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reductions.instance_files.streamed_vectors, "_BLOCK_ENTRIES", 40)
        instance = StreamedVectors(vectors, dimension, density, seed, planted, near)
        manifest = write_streamed_vectors(scratch, instance, workers=2, piece_bytes=100)
        problem, read = read_instance(scratch)
    assert read == manifest
    assert problem.sizes == {"N": vectors, "m": dimension}
    products = problem.left.astype(int) @ problem.right.T
    if planted is None:
        assert (manifest.answer, manifest.known_by) == ("unknown", "unknown")
    else:
        assert manifest.known_by == ("planted" if planted else "certified")
        assert manifest.answer == problem.answer()
    if planted:
        assert products[tuple(manifest.witness)] == 0
    if near:  # every left vector has its partner, but that the planted pair does not meet
        found = (products == 1).any(axis=1)
        assert (found | ((products == 0).any(axis=1) if planted else False)).all()
    for limit in (-1, 1 << 28):  # piece by piece, and in memory
        verification = verify_instance(scratch, in_memory_bytes=limit)
        assert verification.ok, verification
    pieces = {check.name: check for check in verify_instance(scratch, in_memory_bytes=-1).checks}
    assert pieces["all pairs"].outcome is Outcome.SKIPPED
    assert planted is None or pieces["answer"].outcome is Outcome.OK


def test_twins_differ_in_one_bit(small_blocks):
    for near in (True, False):
        no, yes = (
            StreamedVectors(90, 7, seed=3, planted=planted, near_threshold=near) for planted in (False, True)
        )
        different = 0
        for block in range(no.blocks):
            np.testing.assert_array_equal(no.left(block), yes.left(block))
            different += int((no.right(block) != yes.right(block)).sum())
        assert different == 1


@pytest.mark.parametrize("planted", [True, False, None])
@pytest.mark.parametrize("density", [0.5, 0.3])
def test_bytes_do_not_depend_on_pieces_or_workers(tmp_path, small_blocks, planted, density):
    instance = StreamedVectors(203, 9, density, seed=8, planted=planted, near_threshold=density == 0.3)
    contents = set()
    for workers in (1, 4):
        for piece_bytes in (1, 100, 1 << 20):
            write_streamed_vectors(tmp_path / "t", instance, workers=workers, piece_bytes=piece_bytes)
            contents.add((tmp_path / "t").read_bytes())
    assert len(contents) == 1


def test_bytes_do_not_change_between_versions(tmp_path):
    """The hashes of an instance that this package has once drawn: generating it again must give it again."""
    instance = StreamedVectors(20_000, 70, seed=1, planted=True, near_threshold=True)
    manifest = write_streamed_vectors(tmp_path / "t", instance)
    assert {side: entry["sha256"][:16] for side, entry in manifest.tensors.items()} == {
        "left": "faa2989d67888c55",
        "right": "0b89445147072cbd",
    }
    manifest = write_streamed_vectors(tmp_path / "t", StreamedVectors(20_000, 70, 0.3, seed=1))
    assert manifest.tensors["left"]["sha256"][:16] == "87dec5b385bf4802"


def test_the_density_is_as_asked():
    for density in (0, 0.1, 0.5, 0.9, 1):
        entries = StreamedVectors(20_000, 50, density).left(0)
        assert abs(entries.mean() - density) < 0.005
        assert np.ptp(entries.mean(axis=0)) < 0.04


def test_a_streamed_file_is_the_file_of_the_library(tmp_path):
    instance = StreamedVectors(50, 13, seed=4, planted=True)
    manifest = write_streamed_vectors(tmp_path / "s", instance, command_line="subquartic 'ü\"\\'")
    tensors = load_file(tmp_path / "s")
    save_file(tensors, tmp_path / "t", metadata={"subquartic": manifest.to_json()})
    assert (tmp_path / "s").read_bytes() == (tmp_path / "t").read_bytes()
    problem = OrthogonalVectors(tensors["left"], tensors["right"])
    known = {"answer": "YES", "known_by": "planted", "witness": instance.witness}
    written = write_instance(tmp_path / "u", problem, seed=4, command_line=manifest.command_line, **known)
    assert written == manifest
    assert (tmp_path / "s").read_bytes() == (tmp_path / "u").read_bytes()


def test_the_first_proof_in_one_pass_contradicts_a_false_answer(tmp_path):
    path = tmp_path / "t"
    ones = np.ones((4, 3), dtype=np.uint8)
    write_instance(path, OrthogonalVectors(ones, ones), answer="YES", known_by="solver")
    (failed,) = [c for c in verify_instance(path, in_memory_bytes=-1).checks if c.outcome is Outcome.FAILED]
    assert (failed.name, failed.detail[:27]) == ("answer", "NO, but the manifest says Y")


def test_a_broken_construction_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(StreamedVectors, "guard", None)
    with pytest.raises(RuntimeError, match="no coordinate in common"):
        write_streamed_vectors(tmp_path / "t", StreamedVectors(400, 9, planted=False))
    assert list(tmp_path.iterdir()) == []


def test_pieces_that_do_not_fill_the_tensor_are_refused(tmp_path):
    path = tmp_path / "t"
    template = write_instance(path, OrthogonalVectors(*np.zeros((2, 4, 3), dtype=np.uint8)))
    pieces = {"left": [np.zeros(12, np.uint8)], "right": [np.zeros(11, np.uint8)]}
    with pytest.raises(ValueError, match="'right' must have 12 bytes, not 11"):
        write_stream(path, template, pieces)
    assert read_manifest(path) == template
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "'vectors' must be at least 1, not 0"),
        ((1, 0), "'dimension' must be between 1 and 16777216, not 0"),
        ((1, 2**24 + 1), "'dimension' must be between"),
        ((1, 1, 1.5), "'density' must be between 0 and 1"),
        ((1, 1, 0.5, -1), "'seed' must be at least 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        StreamedVectors(*arguments)


def test_a_disk_without_room_is_told_of_at_once(tmp_path):
    with pytest.raises(OSError, match="No space left on device"):
        write_streamed_vectors(tmp_path / "t", StreamedVectors(10**9, 10**6))
    assert list(tmp_path.iterdir()) == []


@given(st.data())
@settings(max_examples=80)
def test_damaged_files_are_refused_piece_by_piece_as_in_memory(scratch, data):
    write_streamed_vectors(scratch, StreamedVectors(5, 30, seed=2, planted=data.draw(CHOICES)))
    content = bytearray(scratch.read_bytes())
    if data.draw(st.booleans()):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    scratch.write_bytes(content)
    for limit in (-1, 1 << 28):
        verification = verify_instance(scratch, in_memory_bytes=limit)
        assert not verification.ok
        assert verification.damage is not None
        assert "\n" not in verification.damage


FORGED = {
    "entries": ({"left": np.full((4, 3), 2, np.uint8)}, {}, "entries 0 and 1, not 2"),
    "shape": ({"left": np.ones((2, 6), np.uint8)}, {}, "same shape"),
    "axes": ({"left": np.ones(12, np.uint8)}, {}, "matrix of U8"),
    "dtype": ({"left": np.ones((4, 3), np.int32)}, {}, "matrix of U8"),
    "surplus": ({"W": np.ones((4, 3), np.uint8)}, {}, "'left' and 'right'"),
    "sizes": ({}, {"sizes": {"N": 5, "m": 3}}, "says N = 5, but it is 4"),
    "parameters": ({}, {"parameters": {"s": 1}}, "parameters must be none"),
    "witness": ({}, {"witness": [1, 1], "answer": "YES", "known_by": "solver"}, "does not verify"),
    "witness far away": (
        {},
        {"witness": [9**9, 1], "answer": "YES", "known_by": "solver"},
        "does not verify",
    ),
    "witness of another kind": ({}, {"witness": 3, "answer": "YES", "known_by": "solver"}, "does not verify"),
}


@pytest.mark.parametrize("case", FORGED)
def test_forged_files_are_refused_piece_by_piece(tmp_path, case):
    changed, fields, message = FORGED[case]
    path = tmp_path / "t"
    ones = np.ones((4, 3), dtype=np.uint8)
    manifest = write_instance(path, OrthogonalVectors(ones, ones))
    tensors = {"left": ones, "right": ones, **changed}
    entries = {name: tensor_entry(name, tensor) for name, tensor in tensors.items()}
    forged = replace(manifest, tensors=entries, **fields)
    save_file(tensors, path, metadata={"subquartic": forged.to_json()})
    for limit in (-1, 1 << 28):
        verification = verify_instance(path, in_memory_bytes=limit)
        assert verification.damage is not None
    assert message in verify_instance(path, in_memory_bytes=-1).damage


WRITER = """
import sys
from reductions.instance_files.streamed_vectors import StreamedVectors, write_streamed_vectors
print("ready", flush=True)
while True:
    write_streamed_vectors(sys.argv[1], StreamedVectors(40_000, 200, seed=int(sys.argv[2]), planted=True))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_writer_that_is_killed_leaves_the_old_file_or_a_whole_one(tmp_path):
    path = tmp_path / "t.safetensors"
    write_streamed_vectors(path, StreamedVectors(3, 3))
    random = np.random.default_rng()
    for attempt in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(attempt)], stdout=subprocess.PIPE
        )
        with writer:
            assert writer.stdout.readline() == b"ready\n"
            try:
                writer.wait(random.uniform(0, 0.4))
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
        assert writer.returncode == -signal.SIGKILL
        assert verify_instance(path, in_memory_bytes=-1).ok
        assert read_manifest(path).sizes in ({"N": 40_000, "m": 200}, {"N": 3, "m": 3})
    assert all(file == path or file.name.startswith(".") for file in tmp_path.iterdir())


def test_writers_at_once_leave_one_of_their_files(tmp_path):
    path = tmp_path / "t"

    def write(seed):
        for _ in range(4):
            write_streamed_vectors(path, StreamedVectors(300, 40, seed=seed, planted=True), workers=1)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert verify_instance(path).ok
    assert read_manifest(path).seed in range(6)
    assert list(tmp_path.iterdir()) == [path]


def test_what_does_not_fit_the_memory_is_not_loaded(tmp_path, monkeypatch):
    path = tmp_path / "t"
    write_streamed_vectors(path, StreamedVectors(300, 40))
    monkeypatch.setattr("reductions.system.memory.available_memory", lambda: 1000)
    with pytest.raises(ValueError, match="t: the tensors need about 47 KiB of memory; 1,000 bytes are"):
        read_instance(path)
    assert verify_instance(path, in_memory_bytes=1000).ok


LIMITED = """
import resource, sys
from pathlib import Path
import reductions.instance_files.var_magnitudes
from reductions.instance_files import streamed_vectors, verification
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
try:
    bytes(300 << 20)
except MemoryError:
    print("limited")
instance = streamed_vectors.StreamedVectors(1_500_000, 200, planted=False, near_threshold=True)
streamed_vectors.write_streamed_vectors(sys.argv[1], instance, workers=2)
verification = verification.verify_instance(sys.argv[1])
print(verification.ok, [check.detail[:2] for check in verification.checks if check.name == "answer"])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the address space in use")
def test_six_hundred_megabytes_in_a_quarter_gibibyte(tmp_path):
    path = tmp_path / "large.safetensors"
    environment = os.environ | {"MALLOC_ARENA_MAX": "2"}  # or each thread reserves 64 MiB it does not use
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=False, env=environment
    )
    assert result.stdout == "limited\nTrue ['NO']\n", result.stderr
    assert path.stat().st_size > 600_000_000


def test_absurd_headers_are_refused_without_memory(tmp_path):
    path = tmp_path / "t"
    write_streamed_vectors(path, StreamedVectors(4, 3))
    content = path.read_bytes()
    for old, new in (
        (b'"shape":[4,3]', b'"shape":[4,9999999999999]'),
        (b'"shape":[4,3]', b'"shape":[-4,-3]'),
    ):
        path.write_bytes(content.replace(old, new))
        for limit in (-1, 1 << 28):
            assert verify_instance(path, in_memory_bytes=limit).damage is not None
    for length in (0, 1, 2**62, 2**64 - 1):
        path.write_bytes(length.to_bytes(8, "little") + content[8:])
        with pytest.raises(InstanceFileError):
            read_manifest(path)
