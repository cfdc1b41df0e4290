from __future__ import annotations

import pytest

from reductions.decision.pcp_plan import most_coordinates, plan_pcp, ratio, systems_for


@pytest.mark.parametrize("coordinates", range(17))
def test_plans_are_sound_large_enough_and_best(coordinates):
    within = [s for s in systems_for(coordinates) if s.dimension <= 4096 and s.message_count <= 1 << 16]
    for objective, value in (("ratio", ratio), ("messages", lambda s: s.message_count)):
        chosen = plan_pcp(coordinates, objective).system
        assert chosen.fault() is None
        assert chosen.coordinates >= coordinates
        assert value(chosen) == min(map(value, within))


def test_a_budget_of_messages_holds():
    chosen = plan_pcp(12, 100)
    assert chosen.system.message_count <= 100 < plan_pcp(12).system.message_count
    assert ratio(chosen.system) > ratio(plan_pcp(12).system)
    assert chosen.reduction().parameter_map()["D"] == chosen.system.dimension


def test_the_explanation_says_what_and_why():
    text = plan_pcp(8).explanation
    assert text.startswith("elliptic over F_4 with s0 = 4 and T = 2 (D = 72, Δ = 1 of 9, 256 messages)")
    assert "has the least D/Δ of the" in text
    assert "It holds s0·T = 8 coordinates, 0 of them zero padding." in text
    assert "The next is" in text
    assert "has the fewest messages" in plan_pcp(8, "messages").explanation
    assert "the least D/Δ with at most 30 messages" in plan_pcp(6, 30).explanation
    assert "1 of them zero padding" in plan_pcp(11).explanation


def test_the_plan_makes_the_reduction_it_describes():
    plan = plan_pcp(6)
    for messages in ("all", "feasible"):
        reduction = plan.reduction(messages)
        assert reduction.parameters()["messages"] == messages
        assert reduction.system.dimension == plan.system.dimension
        assert reduction.system.weights == plan.system.weights


def test_no_feasible_code_names_the_nearest():
    message = r"No code for m = 24 has D <= 4,096 and at most 65,536 messages; the nearest is .* \(D = "
    with pytest.raises(ValueError, match=message):
        plan_pcp(24)
    with pytest.raises(ValueError, match=r"at most 2 messages; the nearest is Reed–Solomon"):
        plan_pcp(12, 2)
    most = most_coordinates()
    with pytest.raises(ValueError, match="nearest"):
        plan_pcp(most)
    with pytest.raises(ValueError, match=f"'coordinates' must be at most {most}"):
        plan_pcp(most + 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1,), "'coordinates' must be at least 0"),
        ((4, 0), "a budget of at least 1 message, not 0"),
        ((4, "D"), "must be 'ratio', 'messages' or a number"),
        ((4, True), "must be 'ratio', 'messages' or a number"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        plan_pcp(*arguments)
