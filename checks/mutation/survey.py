"""A systematic survey: every comparison, operator and whole number of a module, changed one at a time.

The catalogue is chosen by people, and so are its gaps. The survey is not chosen: it changes each place in
one way, whatever it means. What no check notices is then read by people, who sharpen the check, or see that
the change is harmless: a larger upper bound, another size of blocks, a shortcut taken elsewhere.

Left alone are texts, annotations, assertions, and guards that only raise an error: tests have these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from checks.mutation.mutant import Mutant, Part
from checks.mutation.source import functions, module_path

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.Pow: ("**", "*"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "|"),
}
NAMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "floor": "ceil",
    "ceil": "floor",
    "ceiling": "floor",
    "any": "all",
    "all": "any",
}

Change = tuple[int, int, str, Part]
"""Where a piece of the text begins and ends, what stands there instead, and what is changed by it."""


def survey(module: str, statements: Sequence[str]) -> list[Mutant]:
    """Return the mutants of every place of a module, with the statements that are asked.

    Raises
    ------
    MutantError
        If there is no such module.
    """
    text = module_path(module).read_text("utf8")
    tree = ast.parse(text)
    mutants = []
    for start, end, after, part in sorted(_changes(tree, _Positions(text))):
        changed = text[:start] + after + text[end:]
        try:
            ast.parse(changed)
        except SyntaxError:  # an annotation's bar, a bracket between operands
            continue
        mutants.append(_mutant(module, text, tree, (start, end, after, part), tuple(statements)))
    return mutants


def _mutant(module: str, text: str, tree: ast.Module, change: Change, statements: tuple[str, ...]) -> Mutant:
    start, end, after, part = change
    line = text.count("\n", 0, start) + 1
    name, first, last = "", 1, text.count("\n") + 1
    for function, node in functions(tree):  # the innermost one comes last
        if node.lineno <= line <= (node.end_lineno or line):
            name, first, last = function, node.lineno, node.end_lineno or line
    lines = text.splitlines(keepends=True)
    body = "".join(lines[first - 1 : last]) if name else text
    # As many whole lines as it takes to make the place the only one of its kind.
    low, high = line, text.count("\n", 0, end) + 1
    while True:
        before = "".join(lines[low - 1 : high]).rstrip("\n")
        if body.count(before) == 1 or (low <= first and high >= last):
            break
        low, high = max(first, low - 1), min(last, high + 1)
    offset = sum(map(len, lines[: low - 1]))
    changed = before[: start - offset] + after + before[end - offset :]
    return Mutant(module, name, part, before, changed, "one place, changed by rule", statements)


class _Positions:
    """From the parser's lines and byte columns to places in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def start(self, node: ast.expr) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr) -> int:
        return self.at(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)


def _changes(node: ast.AST, positions: _Positions) -> Iterator[Change]:
    """Yield the changes of a node and of all below it."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.arg) or _only_raises(node):
        return
    below: Iterable[ast.AST | None] = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef):
        if node.name in ("__str__", "__repr__"):
            return
        below = (*node.body, *node.args.defaults, *node.args.kw_defaults)
    elif isinstance(node, ast.AnnAssign):
        below = (node.value,)
    elif isinstance(node, ast.expr):
        yield from _own_changes(node, positions)
    for child in below:
        if child is not None:
            yield from _changes(child, positions)


def _only_raises(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise) and not node.orelse


def _own_changes(node: ast.expr, positions: _Positions) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            if type(operator) in COMPARISONS:
                yield from _between(left, right, COMPARISONS[type(operator)], Part.THRESHOLD, positions)
    elif isinstance(node, ast.BinOp):
        if type(node.op) in OPERATORS:
            yield from _between(node.left, node.right, OPERATORS[type(node.op)], Part.FORMULA, positions)
    elif isinstance(node, ast.BoolOp):
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        yield from _between(node.values[0], node.values[1], words, Part.THRESHOLD, positions)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        start = positions.start(node)
        yield start, start + (3 if isinstance(node.op, ast.Not) else 1), "", Part.FORMULA
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield positions.start(node), positions.end(node), str(node.value + 1), Part.COEFFICIENT
    elif isinstance(node, ast.Call):
        function = node.func
        name = getattr(function, "id", getattr(function, "attr", ""))
        if name in NAMES:
            end = positions.end(function)
            yield end - len(name), end, NAMES[name], Part.FORMULA


def _between(
    left: ast.expr, right: ast.expr, words: tuple[str, str], part: Part, positions: _Positions
) -> Iterator[Change]:
    """Yield the change of the operator that stands between two operands, brackets and all."""
    start = positions.end(left)
    found = positions.text.find(words[0], start, positions.start(right))
    if found >= 0:
        yield found, found + len(words[0]), words[1], part
