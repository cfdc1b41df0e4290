"""What a cell prints is shown as it was printed, wherever the kernel cut it."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat.v4 as notebook
import pytest
from hypothesis import given
from hypothesis import strategies as st

coalesce_streams = pytest.importorskip("myst_nb.core.utils").coalesce_streams
sys.path.insert(0, str(Path(__file__).parents[2] / "book/_ext"))
from kernel_ext import joined  # noqa: E402

PRINTED = "row A   1   2\nrow B   3   4\n"


def stream(text: str, name: str = "stdout"):
    return notebook.new_output("stream", name=name, text=text)


@given(st.integers(0, len(PRINTED)), st.integers(0, len(PRINTED)))
def test_cuts_leave_no_trace(one: int, other: int):
    low, high = sorted((one, other))
    pieces = [stream(text) for text in (PRINTED[:low], PRINTED[low:high], PRINTED[high:])]
    (whole,) = coalesce_streams(joined(pieces))
    assert whole["text"] == PRINTED


def test_the_libraries_own_merge_leaves_one():
    """If this fails, the extension's part is no longer needed."""
    (whole,) = coalesce_streams([stream(PRINTED[:5]), stream(PRINTED[5:])])
    assert whole["text"] != PRINTED


def test_other_outputs_keep_their_places_and_nothing_is_changed():
    figure = notebook.new_output("display_data", data={"text/plain": "figure"})
    outputs = [stream("a"), figure, stream("warning", "stderr"), stream("b")]
    assert [output.get("text") for output in joined(outputs)] == ["ab", None, "warning"]
    assert outputs[0]["text"] == "a"


@pytest.mark.parametrize("outputs", [[], [stream("a")]])
def test_nothing_to_join(outputs):
    assert joined(outputs) == outputs
