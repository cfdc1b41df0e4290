"""The runner: levels, controls, errors and worker processes."""

from __future__ import annotations

import pytest

from checks.evidence import Level, certified, exhaustive, sampled
from checks.evidence.registry import Kind, Lemma, Run, declare, lemma
from checks.evidence.runner import run_lemma, run_lemmas
from checks.ledger.build import record_of


def holds(claim="c"):
    return exhaustive(claim, "all of one", [1], 1, lambda n: True)


def fails(claim="c"):
    return exhaustive(claim, "all of one", [1], 1, lambda n: False)


def make(*records, kind=Kind.LEMMA, control=fails):
    entry = Lemma("lem-x", kind, "A <title>", check=lambda run: iter(records))
    if control is not None:
        entry.control("broken & wrong")(lambda run: control())
    return entry


def test_the_level_is_the_weakest_claim_by_its_strongest_record():
    weak = sampled("first", "s", 0, 1, lambda g: 0, lambda n: True)
    strong = certified("first", "s", [("one", 1, "<", 2)])
    other = holds("second")
    assert run_lemma(make(weak)).level is Level.SAMPLED
    assert run_lemma(make(weak, strong)).level is Level.CERTIFIED
    assert run_lemma(make(weak, strong, other)).level is Level.EXHAUSTIVE
    assert run_lemma(make(strong, weak, other)).level is Level.EXHAUSTIVE


def test_one_failed_record_fails_the_lemma():
    report = run_lemma(make(holds("first"), holds("second"), fails("second")))
    assert report.level is Level.FAILED
    assert report.failures == ("second: case 1: 1",)


def test_a_check_yields_evidence_and_nothing_that_looks_like_it():
    with pytest.raises(TypeError, match="A check must yield Evidence, not Record"):
        run_lemma(make(record_of(holds())))


def test_a_control_that_passes_fails_the_lemma():
    report = run_lemma(make(holds(), control=holds))
    assert report.level is Level.FAILED
    assert report.failures == ("control not rejected: broken & wrong",)
    assert not report.controls[0].rejected


def test_a_control_on_no_case_rejects_nothing():
    report = run_lemma(make(holds(), control=lambda: exhaustive("c", "s", [], 0, lambda n: False)))
    assert report.level is Level.FAILED


def test_a_control_that_crashes_is_an_error(empty_registry):
    def crash():
        raise ZeroDivisionError("by zero")

    entry = make(holds(), control=crash)
    with pytest.raises(ZeroDivisionError):
        run_lemma(entry)
    empty_registry[entry.id] = entry
    (report,) = run_lemmas()
    assert report.level is Level.FAILED
    assert report.failures == ("error: ZeroDivisionError: by zero",)


@pytest.mark.parametrize("kind", [Kind.LEMMA, Kind.THEOREM])
def test_a_lemma_needs_records_and_controls(kind):
    assert run_lemma(make(kind=kind)).failures == ("the check yielded no evidence",)
    assert run_lemma(make(holds(), kind=kind, control=None)).failures == (
        "no negative control is registered",
    )
    assert run_lemma(Lemma("lem-x", kind, "X")).level is Level.FAILED


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (Kind.CITED, Level.CITED),
        (Kind.ASSUMED, Level.ASSUMED),
        (Kind.DEFINITION, None),
        (Kind.REMARK, None),
    ],
)
def test_what_has_no_check(kind, level):
    assert run_lemma(Lemma("x", kind, "X")).level is level


def test_a_demonstration_does_not_raise_a_citation():
    assert run_lemma(make(holds(), kind=Kind.CITED, control=None)).level is Level.CITED
    assert run_lemma(make(fails(), kind=Kind.CITED, control=None)).level is Level.FAILED


def test_a_report_reads_as_text_and_as_html():
    report = run_lemma(make(holds("a < b"), sampled("c", "s", 0, 2, lambda g: 0, lambda n: True)))
    text = str(report)
    assert "lem-x  SAMPLED  A <title>" in text
    assert "control rejected: broken & wrong" in text
    markup = report._repr_html_()
    assert "a &lt; b" in markup
    assert "A &lt;title&gt;" in markup
    assert "2 cases, seed 0" in markup
    assert 'scope="row"' in markup
    assert "FAILED" not in text + markup
    assert "FAILED" in str(run_lemma(make(fails())))
    assert "FAILED" in run_lemma(make(fails()))._repr_html_()


def test_an_unknown_id_is_refused_with_a_suggestion():
    with pytest.raises(ValueError, match=r"not 'def-ovv'\. Did you mean def-ov"):
        run_lemma("def-ovv")
    with pytest.raises(ValueError, match="must be the id of a registered statement"):
        run_lemmas(["def-ov", "nonsense"])
    with pytest.raises(ValueError, match="'jobs' must be at least 1, not 0"):
        run_lemmas(["def-ov"], jobs=0)


def test_reports_come_in_the_order_given_and_progress_hears_of_each(empty_registry):
    for name in "abc":
        lemma(f"lem-{name}", title=name)(lambda run: iter([holds()]))
    heard = []
    reports = run_lemmas(["lem-c", "lem-a", "lem-c"], progress=heard.append)
    assert [report.id for report in reports] == ["lem-c", "lem-a"]
    assert heard == reports
    assert [report.id for report in run_lemmas()] == ["lem-a", "lem-b", "lem-c"]


def test_the_run_reaches_the_check(empty_registry):
    seeds = []
    lemma("lem-a", title="A")(lambda run: (seeds.append(run.seed), iter([holds()]))[1])
    run_lemmas(run=Run(seed=7))
    assert seeds == [7]


def test_worker_processes_report_the_same():
    ids = ["def-ov", "lem-split-and-list", "def-seth"]
    here, there = run_lemmas(ids), run_lemmas(ids, jobs=2)
    assert [(r.id, r.level, r.records, r.controls) for r in here] == [
        (r.id, r.level, r.records, r.controls) for r in there
    ]


def test_declared_statements_have_nothing_to_run(empty_registry):
    declare("def-a", kind=Kind.DEFINITION, title="A")
    (report,) = run_lemmas()
    assert (report.level, report.records, report.failures) == (None, (), ())
