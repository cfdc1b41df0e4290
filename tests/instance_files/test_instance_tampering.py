"""Forged instance files, whose hashes are right, are refused by what they claim."""

import hashlib
import json
import re

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from reductions.instance_files.read_write import (
    InstanceFileError,
    read_instance,
    read_manifest,
    write_instance,
)
from reductions.problems.attention import AttentionInstance, ReferenceKeyAttention
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct


def bounded_instance():
    return GapMaxInnerProduct([[1, 0.5], [0, -1]], [[1, 1], [0, 0]], 1.5, 0.25)


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
    "missing field": (lambda m: m.pop("chain"), "manifest.chain is missing"),
    "surplus field": (lambda m: m.update(colour="red"), "manifest.colour is not a field"),
    "missing parameter": (lambda m: m.update(parameters={"s": 1.0}), "parameters must be"),
    "parameter of another kind": (lambda m: m["parameters"].update(s="1"), "must be a number"),
    "gap of zero": (lambda m: m["parameters"].update(gap=0), "malformed"),
    "another size": (lambda m: m["sizes"].update(D=3), "says D = 3"),
    "missing tensor": (lambda m: m["tensors"].pop("U"), "not in the manifest"),
    "surplus tensor": (lambda m: m["tensors"].update(W=m["tensors"]["U"]), "'W' of the manifest is missing"),
    "another shape": (lambda m: m["tensors"]["U"].update(shape=[4, 1]), "the manifest says"),
    "another hash": (lambda m: m["tensors"]["U"].update(sha256="0" * 64), "SHA-256 of tensor 'U'"),
    "hash of another kind": (
        lambda m: m["tensors"]["U"].update(sha256="zz"),
        "manifest.tensors.U.sha256 must be a SHA-256, not 'zz'",
    ),
    "answer of another kind": (
        lambda m: m.update(answer="MAYBE"),
        "manifest.answer must be one of YES, NO, ",
    ),
    "answer that is a list": (lambda m: m.update(answer=["YES"]), "manifest.answer must be a string"),
    "answer known by nothing": (lambda m: m.update(known_by="unknown"), "known by"),
    "witness of NO": (lambda m: m.update(answer="NO"), "has a witness"),
    "witness that is none": (lambda m: m.update(witness=[1, 1]), "witness in the manifest does not verify"),
    "witness out of range": (lambda m: m.update(witness=[0, 99]), "witness in the manifest does not verify"),
    "witness of another shape": (lambda m: m.update(witness=7), "witness in the manifest does not verify"),
    "step of another kind": (lambda m: m.update(chain=["split"]), "manifest.chain[0] must be an object"),
    "seed of another kind": (lambda m: m.update(seed=0.5), "manifest.seed must be an integer"),
    "read-out positions nowhere": (
        lambda m: m.update(read_out={"positions": "W", "threshold": 0.5, "tolerated_error": 0.1}),
        "in no tensor",
    ),
    "read-out of another kind": (
        lambda m: m.update(read_out={"positions": "all"}),
        "manifest.read_out.threshold is missing",
    ),
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
    from reductions.instance_files.read_write import tensor_entry

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
