"""One registration of a reduction serves all who ask what there is."""

from __future__ import annotations

from typing import ClassVar

import pytest

from reductions import reduction
from reductions.choices import Reading, Route
from reductions.codes.evaluation_codes import reed_solomon
from reductions.codes.finite_field import FiniteField
from reductions.instance_files.manifest import plain
from reductions.lower_bound.distributed_pcp import DistributedPCP
from reductions.problems.cnf import CNF
from reductions.problems.orthogonal_vectors import OrthogonalVectors
from reductions.reduction import Reduction, joined, registry, size, way

NAMES = {
    "split-and-list": ("cnf", "ov"),
    "complement-encoding": ("ov", "gap-max-ip"),
    "distributed-pcp": ("ov", "gap-max-ip"),
    "gap-max-ip-to-attention": ("gap-max-ip", "attention"),
    "attention-to-var": ("attention", "var"),
    "sat-to-var-inference": ("cnf", "var"),
}


def test_every_reduction_is_registered_with_the_problems_it_maps():
    found = {name: (step.source.name, step.target.name) for name, step in registry().items()}
    assert found.items() >= NAMES.items()


@pytest.mark.parametrize("name", NAMES)
def test_its_parameters_are_of_the_kinds_it_declares(name):
    code = reed_solomon(FiniteField(5), 2)
    stated = plain(dict(registry()[name].chosen(code=code, blocks=1).parameters()))
    kinds = registry()[name].parameter_kinds
    assert set(stated) == set(kinds)
    assert all(kinds[parameter](value) for parameter, value in stated.items())
    assert not any(holds(object()) for holds in kinds.values())


def names(source, target, *choices):
    return [step.name for step in way(source, target, choices)]


def test_reading_and_route_choose_the_way():
    last = ["gap-max-ip-to-attention", "attention-to-var"]
    direct, pcp = (Reading.MAPS, Route.DIRECT), (Reading.MAPS, Route.PCP)
    assert names("cnf", "var", *direct) == ["split-and-list", "complement-encoding", *last]
    assert names("cnf", "var", *pcp) == ["split-and-list", "distributed-pcp", *last]
    assert names("cnf", "var", Reading.START_AND_POSITIONS, Route.DIRECT) == ["sat-to-var-inference"]
    assert names("ov", "var", Reading.START_AND_POSITIONS, Route.DIRECT) == []
    assert names("cnf", "var", Reading.START_ONLY, Route.DIRECT) == []
    assert names("var", "cnf", *direct) == names("ov", "ov", *direct) == []


def back_to_formulas(module, its_name="back-to-formulas"):
    """Define a reduction as if in this module."""

    class BackToFormulas(Reduction[OrthogonalVectors, CNF]):
        __module__ = module
        name: ClassVar[str] = its_name

        def map_instance(self, source):
            raise NotImplementedError

        def parameter_map(self):
            return {}

    return BackToFormulas


def test_a_new_reduction_is_found_where_it_is_written(monkeypatch):
    monkeypatch.setattr(reduction, "_REGISTRY", dict(reduction._REGISTRY))
    found = back_to_formulas("reductions.lower_bound.back_to_formulas")
    assert names("ov", "cnf") == ["back-to-formulas"]
    assert registry()["back-to-formulas"] is found
    assert found.chosen(schedule=None).parameters() == {}
    again = back_to_formulas("reductions.lower_bound.back_to_formulas")  # as by importlib.reload
    assert registry()["back-to-formulas"] is again


def test_two_reductions_of_one_name_are_refused(monkeypatch):
    monkeypatch.setattr(reduction, "_REGISTRY", dict(registry()))
    with pytest.raises(ValueError, match=r"split_and_list.SplitAndList is named 'split-and-list' too"):
        back_to_formulas("reductions.lower_bound.back_to_formulas", "split-and-list")
    assert registry()["split-and-list"].__name__ == "SplitAndList"


def test_a_users_own_reduction_changes_no_way():
    """So that `decide` runs what is proved here, whatever else the process defines."""
    own = back_to_formulas("notebook", "split-and-list")
    assert (own.source, own.target) == (OrthogonalVectors, CNF)
    found = {name: (step.source.name, step.target.name) for name, step in registry().items()}
    assert found.items() >= NAMES.items()


def test_numbers_are_pushed_through_a_chain_as_through_its_composed_map():
    chain = joined([step.chosen() for step in way("cnf", "var", (Reading.MAPS, Route.DIRECT))])
    sizes = {"v": 9, "m": 7}
    composed = chain.parameter_map()
    pushed = chain.sizes_of(sizes)
    assert pushed.keys() == composed.keys()
    for name, value in pushed.items():
        stated = composed[name].subs({size(key): number for key, number in sizes.items()})
        assert float(value) == pytest.approx(float(stated), rel=1e-12)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("blocks", 0),
        ("blocks", -1),
        ("points", 0),
        ("information_points", 0),
        ("weights", []),
        ("weights", [True]),
    ],
)
def test_no_proof_system_has_such_parameters(parameter, value):
    kinds = DistributedPCP.parameter_kinds
    assert not kinds[parameter](value)
    assert kinds[parameter]([1] if parameter == "weights" else 1)
