"""The recheck finds nothing wrong with the suites, and finds what is broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from reductions.kernel_suite.families import FAMILIES, Twins
from reductions.kernel_suite.integer_instance import Parameters, build
from reductions.kernel_suite.recheck import recheck
from reductions.kernel_suite.suite import build_instance, suite_manifest, suite_parameters
from reductions.kernel_suite.sweep import sweep_suite
from reductions.kernel_suite.var_instance import VarParameters, build_var
from reductions.problems.approximate_var import Reading

DIRECT = Parameters("random", 64, 14, True, Fraction(1), lifted=True)
PCP = Parameters("random", 64, 4, True, Fraction(1), field=3)
MAPS = VarParameters(Reading.MAPS, 16, True, Fraction(1), "random")


def test_a_sample_of_the_quick_suite_is_as_it_claims():
    parameters = [p for p in suite_parameters("quick") if p.label.tokens < 1024]
    assert {recheck(build_instance(p)) for p in parameters[::23]} == {()}


def small_suite(monkeypatch):
    chosen = list(suite_parameters("quick"))[300:324]
    monkeypatch.setattr("reductions.kernel_suite.suite.suite_parameters", lambda *_: iter(chosen))
    monkeypatch.setattr("reductions.kernel_suite.sweep.suite_parameters", lambda *_: iter(chosen))


def test_the_manifest_is_that_of_the_suite_with_one_and_with_four_processes(monkeypatch):
    small_suite(monkeypatch)
    heard = []
    here = sweep_suite("quick", progress=lambda *done: heard.append(done))
    there = sweep_suite("quick", jobs=4)
    assert here == there
    assert here.manifest == suite_manifest("quick")
    assert (here.verified, here.faults) == (24, ())
    assert heard == [(8, 24), (16, 24), (24, 24)]


@pytest.mark.slow
def test_the_quick_suite_is_as_it_claims():
    sweep = sweep_suite("quick", jobs=2)
    assert sweep.manifest == suite_manifest("quick")
    assert (sweep.verified, sweep.faults) == (len(list(suite_parameters("quick"))), ())


def changed(array, *index):
    array = array.copy()
    array[index] += 1
    return array


@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("parameters", [DIRECT, PCP])
def test_what_is_broken_in_an_integer_instance_is_found(parameters, planted):
    sound = build(replace(parameters, planted=planted))
    assert recheck(sound) == ()
    key = int(np.flatnonzero(np.arange(63) != sound.partner)[0])
    broken = {
        "built again, it has another digest": replace(sound, key_halves=changed(sound.key_halves, key, 0)),
        "a reference is not the exact output of its row": with_reference(sound, 1 + 2.0**-50),
        "the twin's reference is not the exact output of the twin's decisive row": replace(
            sound, twin_product=sound.twin_product + 4
        ),
        "the decisive pair is not the source's": replace(sound, partner=key),
        "the logit gap is smaller than its strength says": replace(sound, scale=sound.scale / 2),
        "the keys are no numbers of bfloat16": replace(sound, scale=sound.scale * (1 + 2.0**-9)),
    }
    for fault, instance in broken.items():
        assert fault in recheck(instance)


def with_reference(instance, factor):
    instance = replace(instance)
    instance.__dict__["reference"] = type(instance).reference.func(instance) * factor
    return instance


def test_queries_and_keys_that_encode_other_vectors_are_found():
    sound = build(DIRECT)
    for name in ("query_halves", "key_halves"):
        for index in ((3, 2), (5, 15), (63, 14), (2, 15)):
            broken = replace(sound, **{name: changed(getattr(sound, name), *index)})
            assert "queries and keys do not encode the vectors" in recheck(broken)


def test_logits_outside_the_promise_are_found():
    no, yes = build(replace(PCP, planted=False)), build(PCP)
    keys = no.key_halves.copy()
    keys[no.partner] = yes.key_halves[yes.partner]
    assert "a logit of the NO twin is above the reference key's" in recheck(replace(no, key_halves=keys))
    keys = yes.key_halves.copy()
    keys[yes.partner] = no.key_halves[no.partner]
    faults = recheck(replace(yes, key_halves=keys))
    assert "no logit of the decisive row is above the reference key's" in faults
    keys = yes.key_halves.copy()
    keys[-1, np.flatnonzero(keys[-1])[-1]] += 1
    near = "a logit is nearer to the reference key's than the promise allows"
    assert near in recheck(replace(yes, key_halves=keys))


@pytest.mark.parametrize("parameters", [DIRECT, MAPS])
def test_a_family_whose_twins_are_not_as_promised_is_found(parameters, monkeypatch):
    def unguarded(vectors, coordinates, bits):
        twins = sound(vectors, coordinates, bits)
        left, right = twins.left.copy(), twins.right.copy()
        left[(twins.row + 1) % vectors] = 0  # orthogonal to everything, in both twins
        return Twins(left, right, twins.row, twins.column, twins.coordinate)

    def unplanted(vectors, coordinates, bits):
        twins = sound(vectors, coordinates, bits)
        left, right = twins.left.copy(), twins.right.copy()
        left[twins.row, :2] = right[twins.column, :2] = 1  # clearing one coordinate is not enough
        return Twins(left, right, twins.row, twins.column, twins.coordinate)

    sound = FAMILIES["random"]
    build_any = build if parameters is DIRECT else build_var
    for family, planted, fault in (
        (unguarded, False, "the NO twin has an orthogonal pair"),
        (unplanted, True, "the decisive pair of the YES twin is not orthogonal"),
    ):
        monkeypatch.setitem(FAMILIES, "random", family)
        broken = replace(parameters, planted=planted, seed=parameters.seed + 1000 + planted)
        assert fault in recheck(build_any(broken))


def test_what_is_broken_in_a_var_instance_is_found():
    sound = build_var(MAPS)
    assert recheck(sound) == ()
    assert "a reference is not the exact output of its row" in recheck(with_reference(sound, 1 + 1e-11))
    assert recheck(replace(sound, decisive=sound.decisive - 1))
    assert "built again, it has another digest" in recheck(replace(sound, source_digest="0"))
    assert recheck(replace(sound, twin_given=sound.given)) == (
        "the twin's reference is not the exact output of the twin's decisive row",
        "the exact outputs do not decide it right",
    )


def test_only_suites_are_rechecked():
    with pytest.raises(TypeError, match="'instance' must be of a suite, not NoneType"):
        recheck(None)
