"""Verification recomputes what a manifest claims."""

import pytest

from reductions.instance_files.read_write import write_instance
from reductions.instance_files.verification import Outcome, verify_instance
from reductions.problems.cnf import RUNNING_EXAMPLE
from reductions.problems.gap_max_inner_product import GapMaxInnerProduct


def bounded_instance():
    return GapMaxInnerProduct([[1, 0.5], [0, -1]], [[1, 1], [0, 0]], 1.5, 0.25)


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
    from reductions.instance_files.read_write import formula_digest

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
