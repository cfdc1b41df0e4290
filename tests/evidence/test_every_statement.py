"""Every checked statement earns what it is expected to, in full as well, and rejects each of its controls."""

from __future__ import annotations

import re

import pytest

from checks.evidence import Level
from checks.evidence.registry import Effort, Run, registry
from checks.evidence.runner import run_lemma

LETTERS = {
    "S": Level.SYMBOLIC,
    "C": Level.CERTIFIED,
    "E": Level.EXHAUSTIVE,
    "R": Level.SAMPLED,  # random
    "-": Level.CITED,
}
EXPECTED = {
    # id: (level of the statement, strongest level of each claim in order, levels of all records, controls)
    "lem-attention-to-var": ("E", "SEEEEE", "SCER", 7),
    "lem-collapse": ("E", "SECEEEC", "SCER", 6),
    "lem-complement-encoding": ("E", "SEEEE", "SER", 5),
    "lem-distributed-pcp": ("E", "EEEEEEEEEEEE", "ER", 6),
    "lem-gap-max-ip-to-attention": ("E", "SCSEECSE", "SCER", 5),
    "lem-partition-of-unity": ("E", "SE", "SE", 3),
    "lem-keys-kernel": ("E", "SSSSE", "SE", 4),
    "lem-lebesgue": ("E", "SEEE", "SE", 4),
    "lem-isolation": ("E", "SCCEEE", "SCER", 3),
    "lem-logit-invariance": ("E", "SSES", "SER", 6),
    "thm-lower-bound": ("E", "SSESE", "SCE", 6),
    "lem-pcp-asymptotics": ("-", "CEEECSE", "SCE", 4),
    "lem-route-crossover": ("E", "SSSSESSE", "SER", 5),
    "lem-sparsification": ("-", "EEEEEEC", "CER", 3),
    "lem-sat-to-ov-exponents": ("E", "SSSEE", "SER", 6),
    "lem-split-and-list": ("E", "EEES", "SER", 5),
    "lem-sat-to-var-inference": ("E", "SEEEEE", "SER", 4),
    "lem-token-count": ("E", "SEEESSE", "SE", 5),
    "lem-block-causal-state": ("E", "SECEE", "SCER", 7),
    "lem-decoder": ("E", "EECEEC", "CER", 4),
    "lem-decoder-identity": ("E", "EE", "E", 4),
    "lem-bessel-error": ("C", "SCCCCCC", "SC", 4),
    "lem-degree": ("C", "CCC", "C", 3),
    "lem-lipschitz-interpolation": ("E", "E", "E", 2),
    "lem-lipschitz-convolution": ("E", "E", "E", 3),
    "lem-lipschitz-feed-forward": ("E", "E", "E", 2),
    "lem-lipschitz-attention": ("E", "SCEEEE", "SCER", 6),
    "lem-error-composition": ("R", "SECR", "SCER", 4),
    "rem-depth": ("C", "CCCCCS", "SCE", 7),
    "lem-exp-polynomial": ("R", "CCCCRCCCCCRC", "CR", 7),
    "lem-feature-map-reconstruction": ("E", "EEECC", "CE", 4),
    "lem-grouped-degrees": ("E", "SCCCCEE", "SCE", 4),
    "lem-low-rank-attention": ("E", "CCEE", "CER", 6),
    "lem-low-rank-rounding": ("R", "R", "R", 2),
    "lem-monomial-features": ("E", "SEEEEEE", "SE", 4),
    "lem-rank-growth": ("E", "ESSCCCC", "SCE", 5),
    "thm-phase": ("E", "EESEECSEEE", "SCER", 5),
    "lem-recentring": ("R", "SERE", "SER", 3),
    "lem-principal-axes": ("R", "SCCRE", "SCER", 2),
    "lem-feature-plan": ("R", "R", "R", 2),
    "rem-released-model": ("R", "REECE", "CER", 3),
    "thm-upper-bound": ("E", "EEEECCCCSCC", "SCE", 5),
    "lem-weight-perturbation": ("C", "SSCSSC", "SCER", 9),
}
COUNTEREXAMPLES = {
    "lem-attention-to-var": "case 1: ApproximateVar",
    "lem-collapse": "case 1:",
    "lem-complement-encoding": r"OrthogonalVectors\(",
    "lem-route-crossover": "case 1:",
    "lem-sat-to-var-inference": "case 1: ApproximateVar",
    "lem-split-and-list": r"CNF\(",
}
"""What the counterexamples of all controls must show, where more than that there is one."""


def test_no_checked_statement_is_left_out():
    """A new statement needs no row: what it earns exactly may stand in its own test."""
    checked = {entry.id for entry in registry().values() if entry.check}
    assert checked >= EXPECTED.keys()
    assert {id: failures for id in checked - EXPECTED.keys() if (failures := run_lemma(id).failures)} == {}


@pytest.mark.parametrize("id", EXPECTED)
def test_the_check_earns_its_evidence_and_the_controls_are_rejected(id):
    level, claims, records, controls = EXPECTED[id]
    report = run_lemma(id)
    assert report.failures == ()
    assert report.level is LETTERS[level]
    strongest = {}
    for record in report.records:
        best = strongest.setdefault(record.claim, record.level)
        strongest[record.claim] = min(best, record.level, key=lambda found: found.rank)
        assert record.seed == (0 if record.level is Level.SAMPLED else None)
    assert list(strongest.values()) == [LETTERS[letter] for letter in claims]
    assert {record.level for record in report.records} == {LETTERS[letter] for letter in records}
    assert len(report.controls) == controls
    for control in report.controls:
        assert re.search(COUNTEREXAMPLES.get(id, "."), control.counterexample), control


@pytest.mark.slow
@pytest.mark.parametrize("id", EXPECTED)
def test_the_check_in_full(id):
    report = run_lemma(id, Run(Effort.FULL, seed=1))
    assert report.failures == ()
    assert report.level is LETTERS[EXPECTED[id][0]]
