"""Lies whose hashes are right: verification recomputes what it can, and names what it takes from the file."""

import hashlib
import json

import pytest
from safetensors.numpy import load_file, save_file

from reductions.instance_files.read_write import read_manifest, write_instance
from reductions.instance_files.verification import Outcome, verify_instance
from reductions.lower_bound.attention_to_var import AttentionToVar
from reductions.lower_bound.complement_encoding import ComplementEncoding
from reductions.lower_bound.gap_max_ip_to_attention import GapMaxIPToAttention
from reductions.lower_bound.sat_to_var_inference import SatToVarInference
from reductions.lower_bound.split_and_list import SplitAndList
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.interpolation import Interpolation, Kernel

CHAINS = {
    "gap-max-ip": [SplitAndList(), ComplementEncoding()],
    "signed": [SplitAndList(), ComplementEncoding(signed=True)],
    "attention": [SplitAndList(), ComplementEncoding(), GapMaxIPToAttention()],
    "var": [SplitAndList(), ComplementEncoding(), GapMaxIPToAttention(2.5), AttentionToVar(temperature=3.0)],
    "var, nearest": [
        SplitAndList(),
        ComplementEncoding(),
        GapMaxIPToAttention(),
        AttentionToVar(Interpolation(Kernel.NEAREST, aligned=True)),
    ],
    "var, own schedule": [
        SplitAndList(),
        ComplementEncoding(),
        GapMaxIPToAttention(),
        AttentionToVar(Interpolation(Kernel.BILINEAR), ((1, 2), (6, 5), (7, 9))),
    ],
    "var, start and positions": [SatToVarInference()],
}


@pytest.fixture(scope="module")
def instances(tmp_path_factory):
    """Write the running example, reduced along each chain; return the paths."""
    paths = {}
    for name, steps in CHAINS.items():
        problem = RUNNING_EXAMPLE
        for step in steps:
            problem = step.map_instance(problem).target
        paths[name] = tmp_path_factory.mktemp("claims") / "t.safetensors"
        write_instance(paths[name], problem, chain=steps)
    return paths


def outcomes(path, **options):
    return {check.name: check.outcome for check in verify_instance(path, **options).checks}


@pytest.mark.parametrize("name", CHAINS)
def test_the_truth_is_verified_and_what_was_not_checked_is_named(instances, name):
    found = outcomes(instances[name])
    assert found["chain"] is found["last step"] is found["read-out"] is Outcome.OK
    assert found["provenance"] is Outcome.SKIPPED
    if name.startswith("var"):
        assert found["query and key bound"] is found["logit bound"] is found["promise bounds"] is Outcome.OK
        assert outcomes(instances[name], affordable_work=0)["logit bound"] is Outcome.SKIPPED
    assert Outcome.FAILED not in found.values()


def parameter(**values):
    return lambda m: m["parameters"].update(values)


def read_out(**values):
    return lambda m: m["read_out"].update(values)


def step(number, **values):
    return lambda m: m["chain"][number]["parameters"].update(values)


READ_OUT = {"positions": "all", "threshold": 1, "tolerated_error": 1}
LIES = [
    ("attention", "read-out", read_out(threshold=0.25)),
    ("attention", "read-out", read_out(tolerated_error=0.4)),
    ("attention", "read-out", read_out(positions=[0])),
    ("attention", "read-out", lambda m: m.update(read_out=None)),
    ("gap-max-ip", "read-out", lambda m: m.update(read_out=READ_OUT)),
    ("attention", "last step", step(2, temperature=7.0)),
    ("attention", "chain", step(2, temperature="xxx")),
    ("attention", "chain", step(2, temperature=-1.0)),
    ("attention", "chain", step(2, colour="red")),
    ("attention", "chain", step(1, signed=1)),
    ("attention", "chain", lambda m: m["chain"].pop(1)),
    ("attention", "chain", lambda m: m["chain"].pop()),
    ("gap-max-ip", "last step", step(1, signed=True)),
    ("signed", "last step", step(1, signed=False)),
    ("var", "read-out", read_out(threshold=0.3)),
    ("var", "logit bound", parameter(logit_bound=0)),
    ("var", "query and key bound", lambda m: (m["parameters"].update(entry_bound=1), m["sizes"].update(R=1))),
    ("var", "promise bounds", parameter(no_bound=0)),
    ("var", "promise bounds", parameter(yes_bound=0.5)),
    ("var", "promise bounds", parameter(entry_error=0)),
    ("var", "chain", step(2, temperature="xxx")),
    ("var", "chain", step(3, kernel="sinc")),
    ("var", "chain", step(3, schedule=[[1, 1], [2]])),
    ("var", "last step", step(3, kernel="nearest")),
    ("var", "last step", step(3, a=-0.5)),
    ("var", "last step", step(3, aligned=True)),
    ("var", "last step", step(3, schedule=[[1, 1], [2, 2]])),
    ("var", "last step", step(3, schedule=[[2, 2], [2, 2]])),
    ("var", "last step", step(3, temperature=None)),
    ("var, start and positions", "logit bound", parameter(logit_bound=0)),
    ("var, start and positions", "promise bounds", parameter(entry_error=0)),
    ("var, start and positions", "last step", step(0, temperature=1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "check", "change"), LIES)
def test_a_lie_is_found(instances, tmp_path, name, check, change):
    manifest = read_manifest(instances[name]).as_dict()
    del manifest["sha256"]
    change(manifest)

    def canonical():
        return json.dumps(manifest, sort_keys=True, separators=(",", ":"))

    manifest["sha256"] = hashlib.sha256(canonical().encode()).hexdigest()
    forged = tmp_path / "forged.safetensors"
    save_file(load_file(instances[name]), forged, metadata={"subquartic": canonical()})
    assert outcomes(forged)[check] is Outcome.FAILED
    assert verify_instance(forged).damage is None


def test_promise_bounds_that_no_step_sets_are_named_as_taken_from_the_file(tmp_path):
    problem = SatToVarInference().map_instance(RUNNING_EXAMPLE).target
    path = tmp_path / "t.safetensors"
    write_instance(path, problem)
    assert outcomes(path)["promise bounds"] is outcomes(path)["chain"] is Outcome.SKIPPED
    write_instance(path, problem, chain=[{"reduction": "my-own", "parameters": {"x": 1}}])
    assert outcomes(path)["promise bounds"] is outcomes(path)["chain"] is Outcome.SKIPPED
