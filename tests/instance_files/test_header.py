"""Files that are no safetensors files are refused in one line, before anything is allocated."""

import json
import re
import tracemalloc

import pytest

from reductions.instance_files.read_write import InstanceFileError, read_instance


def with_header(header, data=b"", padding=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text + padding).to_bytes(8, "little") + text + padding + data


def entry(dtype="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


HUGE = 2**50

MALFORMED = {
    "text": (b"p cnf 1 1\n1 0\n" * 3, "not a safetensors file"),
    "huge header": ((2**62).to_bytes(8, "little") + b"{}", "not a safetensors file"),
    "header beyond the end": ((50).to_bytes(8, "little") + b"{}", "not a whole safetensors file"),
    "no object": (with_header(b"[1, 2]"), "not a JSON object"),
    "no JSON": (with_header(b"{nothing}"), "header is damaged"),
    "no UTF-8": (with_header(b'{"\xff": 1}'), "header is damaged"),
    "NaN": (with_header(b'{"Q": NaN}'), "header is damaged"),
    "deeply nested": (with_header(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "header is damaged"),
    # The safetensors library takes the last of them, and an entry with a surplus: readers then differ.
    "repeated tensor": (
        with_header(b'{"Q": %s, "Q": %s}' % (2 * (json.dumps(entry()).encode(),)), b"\0" * 8),
        "repeated",
    ),
    "repeated manifest": (
        with_header(b'{"__metadata__": {"subquartic": "{}", "subquartic": "{}"}}'),
        "repeated",
    ),
    "entry of another kind": (with_header({"Q": 1}), "malformed"),
    "entry with a surplus": (with_header({"Q": {**entry(), "x": 1}}, b"\0" * 8), "malformed"),
    "negative shape": (with_header({"Q": entry(shape=(-1,))}, b"\0" * 8), "malformed"),
    "true for a shape": (with_header({"Q": entry(shape=(True,))}, b"\0" * 8), "malformed"),
    "unknown type": (with_header({"Q": entry("F8_E4M3")}, b"\0" * 8), "not supported"),
    "type of another kind": (with_header({"Q": entry(["F64"])}, b"\0" * 8), "not supported"),
    "huge tensor": (with_header({"Q": entry(shape=(HUGE,), offsets=(0, 8 * HUGE))}, b"\0" * 8), "declares"),
    "size and shape differ": (with_header({"Q": entry(shape=(2,))}, b"\0" * 8), "takes 16 bytes"),
    "hole": (with_header({"Q": entry(offsets=(8, 16))}, b"\0" * 16), "begins at byte"),
    "overlap": (with_header({"Q": entry(), "K": entry()}, b"\0" * 8), "begins at byte"),
    "data to spare": (with_header({"Q": entry()}, b"\0" * 9), "declares"),
    "metadata of another kind": (with_header({"__metadata__": {"subquartic": 1}}), "metadata"),
    "no manifest": (with_header({"Q": entry()}, b"\0" * 8), "not an instance file"),
    "empty manifest": (with_header({"__metadata__": {"subquartic": "{}"}}), "schema version"),
    "manifest of another kind": (with_header({"__metadata__": {"subquartic": "[]"}}), "JSON object"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_are_refused_with_one_line_and_no_allocation(tmp_path, case):
    content, message = MALFORMED[case]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InstanceFileError, match=re.escape(message)) as caught:
            read_instance(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert peak < 20_000_000
