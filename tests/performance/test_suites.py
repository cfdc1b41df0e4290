"""Every suite runs from end to end at the tiny size, and what it returns has the stated form."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from checks.performance.data import FAMILIES, clustered
from checks.performance.errors import PyramidReference, Reference
from checks.performance.harness import Ratio
from checks.performance.low_rank import LowRank
from checks.performance.peers.torch_attention import TorchAttention
from checks.performance.registry import SUITES, resolve, run_suite
from checks.performance.report import decode_document, document, read_document
from checks.performance.suite import Bench, Measurement, Size, Target
from checks.performance.suites.peers import advantage
from checks.performance.suites.pyramid import scale_ends
from checks.performance.suites.scaling import exact_multiply_adds

TINY = Bench(Size.TINY, seed=0, threads=1)


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_runs_and_its_document_is_valid(name, tmp_path):
    result = run_suite(name, TINY)
    assert result.name == name
    assert result.measurements
    content = document([result], TINY, {"processor": "p"}, 1.0)
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content, allow_nan=False))
    assert read_document(path) == json.loads(json.dumps(content))
    assert not any(target["met"] for target in content["suites"][0]["targets"] if target["measured"] is None)
    for entry in result.measurements:
        if entry.error is not None and entry.certified_error is not None:
            assert entry.error <= entry.certified_error + 1e-5


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("dimension", "degree"), [(6, 2), (8, 3)])
def test_fixed_degrees_keep_their_certified_error(family, dimension, degree):
    inputs = FAMILIES[family](400, dimension, 1.0, 5)
    method = LowRank(inputs, degree, 1)
    error = Reference(inputs, most_rows=400, threads=1).error(method.outputs())
    assert error <= method.certified_error + 1e-6
    if family == "coherent":  # and there it is not far off
        assert error > method.certified_error / 4


def test_the_pyramid_is_block_causal():
    ends = scale_ends(8)
    assert ends == (1, 5, 21, 85)
    inputs = clustered(85, 6, 1.0, 0)
    method = LowRank(inputs, 4, 1)
    reference = PyramidReference(inputs, ends, most_rows=100, threads=1)
    assert reference.error(method.pyramid(ends)) <= method.certified_error + 1e-6
    assert reference.error(TorchAttention(inputs).pyramid(ends)) < 1e-5
    assert reference.error(method.outputs()) > 0.01  # full attention is something else


def test_counted_operations():
    # 1 query on 1 key, 4 on 5: a dimension of 3 costs 3 for a logit and 3 for a value.
    assert exact_multiply_adds((1, 5), 3) == (1 + 20) * 6
    inputs = clustered(85, 6, 1.0, 0)
    assert LowRank(inputs, 2, 1).multiply_adds() == 2 * 85 * 28 * 7
    assert LowRank(inputs, 2, 1).rank == 28


def test_an_error_that_is_not_a_number_is_infinite():
    inputs = clustered(20, 4, 1.0, 0)
    reference = Reference(inputs, most_rows=7, threads=1)
    assert len(reference.rows) == 7
    assert reference.error(np.full((20, 4), np.nan)) == np.inf


def entry(method, error, speed, **setting):
    return Measurement(method, setting, ((1.0,),), "torch SDPA", Ratio(speed, speed, speed), error)


def test_the_best_peer_of_no_larger_error_counts():
    entries = [
        entry("low rank", 1e-2, 60.0, degree=2),
        entry("low rank", 1e-4, 10.0, degree=4),
        entry("slow", 1e-3, 2.0),
        entry("fast", 1e-3, 5.0),
        entry("faster but worse", 1e-1, 500.0),
        entry("torch SDPA", 1e-7, 1.0),
    ]
    assert advantage(entries) == [(2, 1e-2, 12.0, "fast"), (4, 1e-4, None, None)]


def test_targets():
    assert Target("speed", True, 2.0, 2.0).met
    assert Target("speed", True, 2.0, 1.9).met is False
    assert Target("exponent", False, 2.1, 2.0).met
    assert Target("exponent", False, 2.1, 2.2).met is False
    assert Target("speed", True, 2.0, None).met is None


def test_names_are_resolved():
    assert resolve("peers") == "peers"
    assert resolve("Peers") == "peers"
    with pytest.raises(ValueError, match=r"No such benchmark: scalling\. Did you mean scaling\?"):
        resolve("scalling")
    with pytest.raises(ValueError, match="There are attention, pyramid"):
        resolve("xyz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("seed"), "seed is missing"),
        (lambda content: content.update(schema=99), "schema must be 1, not 99"),
        (lambda content: content.update(suites=3), "suites must be a list, not 3"),
        (
            lambda content: content["suites"][0].update(title=None),
            r"suites\[0\]\.title must be a string, not null",
        ),
        (lambda content: content["suites"][0]["measurements"][0].update(seconds=[]), "positive numbers"),
        (
            lambda content: content["suites"][0]["measurements"][0].update(error="big"),
            r"measurements\[0\].error must be a number, not 'big'",
        ),
        (
            lambda content: content["suites"][0]["targets"][0].update(met=1),
            r"targets\[0\].met must be true or false, not 1",
        ),
        (lambda content: content["suites"].append([]), r"suites\[1\] must be an object, not a list"),
    ],
)
def test_a_document_of_another_form_is_refused(change, message):
    from checks.performance.suite import SuiteResult

    result = SuiteResult("s", "S", (entry("m", 0.1, 2.0),), (Target("t", True, 1.0, 2.0),))
    content = document([result], TINY, {}, 0.0)
    decode_document(content)
    change(content)
    with pytest.raises(ValueError, match=message):
        decode_document(content)


def test_what_fails_in_the_process_is_told_in_one_line(capfd):
    from checks.performance.process import measure

    with pytest.raises(RuntimeError, match="the measurement failed: No such benchmark: nonsense"):
        measure(["nonsense"], "tiny", quiet=True)
    assert capfd.readouterr().err == ""


def test_a_file_that_is_no_document(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="no JSON document"):
        read_document(path)
