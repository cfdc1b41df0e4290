"""What is refused names the option, its limit, and no absurd alternative."""

import pytest

from reductions.system.memory import in_words, require_memory

HUGE = 10**20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generate", "ov", "--dimension", HUGE), "of memory"),
        (("generate", "gap-max-ip", "--vectors", HUGE), "of memory"),
        (("generate", "attention", "--vectors", HUGE), "of memory"),
        (("generate", "var", "--dimension", HUGE), "of memory"),
        (("generate", "cnf", "--clauses", HUGE), "of memory"),
        (("generate", "cnf", "--width", 5, "--variables", 2), "--width must be 0 to 2"),
        (("generate", "cnf", "--width", 0, "--planted"), "--width must be 1 to 20"),
        (("generate", "var", "--schedule", "1,99999999"), "too large"),
        (("generate", "var", "--schedule", "1,٣"), "not '1,٣'"),
    ],
)
def test_generators_refuse_before_they_allocate(refused, tmp_path, arguments, message):
    assert message in refused(*arguments, "-o", "t")
    assert list(tmp_path.iterdir()) == []


def test_numbers_out_of_range(refused):
    formula = "p cnf 1 1\n1 0\n"
    assert "1024" in refused("decide", "-", "--threads", 10**6, input=formula)
    assert refused("decide", "-", "--memory-limit", "1K", input=formula).endswith("1 KiB are available.")
    assert "'--memory-limit'" in refused("decide", "-", "--memory-limit", "٣G", input=formula)


def test_output_that_cannot_be(refused):
    assert "must not be empty" in refused("generate", "ov", "-o", "")
    for command in (("reduce", "-", "--to", "ov"), ("generate", "attention"), ("generate", "var")):
        assert "standard output" in refused(*command, "-o", "-")


def test_the_formula_on_standard_output_may_hold_any_argument(subquartic):
    result = subquartic("generate", "cnf", "-m", 1, "-o", "a\nb", "-o", "-")
    comment, header, clause = result.stdout.splitlines()
    assert comment.startswith("c ")
    assert "a\\nb" in comment
    assert (header, clause[-2:]) == ("p cnf 20 1", " 0")


def test_no_absurd_suggestion(refused):
    assert refused("check", "lem-nope") == "No such lemma: lem-nope. See 'subquartic lemmas'."
    assert "Did you mean lem-isolation?" in refused("check", "isolatoin")


def test_the_graph_is_svg_and_says_nothing_else(subquartic, refused, tmp_path):
    assert ".svg" in refused("lemmas", "--graph", "g.png")
    pytest.importorskip("pygraphviz")
    result = subquartic("lemmas", "--graph", "g.svg", environment={"FONTCONFIG_FILE": "/nonexistent"})
    assert (result.returncode, result.stdout) == (0, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("g.svg: ")
    assert (tmp_path / "g.svg").read_text().rstrip().endswith("</svg>")


def test_bytes_in_words():
    assert [in_words(count) for count in (0, 1023, 2**10, 2**30 - 1, 2**50, 2**60)] == [
        "0 bytes",
        "1,023 bytes",
        "1 KiB",
        "1,024 MiB",
        "1,024 TiB",
        "2^60 bytes",
    ]
    require_memory(1, "Bits")
    with pytest.raises(ValueError, match=r"Bits need about 2\^99 bytes of memory"):
        require_memory(2**99, "Bits")
