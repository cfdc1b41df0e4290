"""JSON is read strictly, and decoded into the type that says its form."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reductions.system.json_decode import AtLeast, Matches, decode, one_of, strict_json


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Point(TypedDict):
    x: int | float
    name: Annotated[str, Matches("[a-z]+", "a word in small letters")]


@dataclass(frozen=True)
class Form:
    colour: Colour
    sign: Annotated[str, one_of("+", "-")]
    count: Annotated[int, AtLeast(1)]
    points: list[Point]
    rest: Mapping[str, Any]
    pair: tuple[int, ...] | None


points = st.fixed_dictionaries(
    {
        "x": st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "name": st.from_regex("[a-z]+", fullmatch=True),
    }
)
forms = st.builds(
    Form,
    colour=st.sampled_from(Colour),
    sign=st.sampled_from("+-"),
    count=st.integers(1),
    points=st.lists(points, max_size=3),
    rest=st.dictionaries(st.text(), st.none() | st.booleans() | st.text(), max_size=3),
    pair=st.none() | st.lists(st.integers(), max_size=3).map(tuple),
)


@given(forms)
def test_what_is_written_is_decoded_types_included(form):
    decoded = decode(Form, strict_json(json.dumps(asdict(form))), "")
    assert decoded == form
    assert [type(point["x"]) for point in decoded.points] == [type(point["x"]) for point in form.points]


SOUND = {"colour": "red", "sign": "+", "count": 1, "points": [{"x": 1, "name": "a"}], "rest": {}, "pair": [2]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "green"}, "form.colour must be one of red, blue, not 'green'."),
        ({"sign": "*"}, "form.sign must be one of +, -, not '*'."),
        ({"sign": None}, "form.sign must be a string, not null."),
        ({"count": 0}, "form.count must be at least 1, not 0."),
        ({"count": True}, "form.count must be an integer, not True."),
        ({"count": 1.5}, "form.count must be an integer, not 1.5."),
        ({"points": {}}, "form.points must be a list, not an object."),
        ({"points": [{"x": 1}]}, "form.points[0].name is missing."),
        (
            {"points": [{"x": 1, "name": "A"}]},
            "form.points[0].name must be a word in small letters, not 'A'.",
        ),
        (
            {"points": [{"x": float("inf"), "name": "a"}]},
            "form.points[0].x must be a finite number, not inf.",
        ),
        ({"rest": []}, "form.rest must be an object, not a list."),
        ({"pair": ["2"]}, "form.pair[0] must be an integer, not '2'."),
        ({"more": 1}, "form.more is not a field."),
        ({"a\nb": 1}, r"form.'a\nb' is not a field."),
    ],
)
def test_a_message_names_the_place_in_one_line(change, message):
    decode(Form, SOUND, "form")
    with pytest.raises(ValueError) as error:  # noqa: PT011
        decode(Form, SOUND | change, "form")
    assert str(error.value) == message


@pytest.mark.parametrize("value", ["x" * 10**6, 10**4000, {"k" * 10**6: 1}])
def test_a_message_is_short_whatever_the_file_holds(value):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        decode(Form, value if isinstance(value, dict) else SOUND | {"colour": value}, "form")
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 1}', "a key is repeated"),
        ('{"b": {"a": 1, "a": 2}}', "a key is repeated"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        ("[1]", "it is not a JSON object"),
        ('{"a": ' + "[" * 100_000, "it is nested too deeply"),
        ('{"a": 1' + "0" * 5000 + "}", "Exceeds the limit"),
        ("{", "Expecting property name"),
    ],
)
def test_json_is_read_strictly(text, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        strict_json(text)
