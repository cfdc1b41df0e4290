"""The mutants of the demonstration of ``lem-pcp-asymptotics``; the tower itself is cited."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.pcp_asymptotics", "lem-pcp-asymptotics")

MUTANTS = (
    room.threshold(
        "tower_genus", "-(-level // 2)", "level // 2", "both exponents of the genus are rounded down"
    ),
    room.coefficient(
        "tower_genus", "(smaller - 1)", "(smaller + 1)", "the sign of one factor of the genus is wrong"
    ),
    room.coefficient("tower_points", "(root - 1)", "root", "the first coordinate may have trace 0"),
    room.index(
        "tower_points", "pow(root, level)", "pow(root, level - 1)", "the points are those of one level down"
    ),
    room.index(
        "TowerCode.genus",
        "tower_genus(self.root, self.level)",
        "tower_genus(self.root, self.level - 1)",
        "the genus is that of one level down",
    ),
    room.formula(
        "TowerCode.degree",
        "self.block + self.genus",
        "self.block + self.genus + 1",
        "the pole order is one too large",
    ),
    room.coefficient(
        "TowerCode.squared_degree", "2 * self.degree", "self.degree", "a square has the degree of its root"
    ),
    room.coefficient(
        "TowerCode.length", "4 * self.degree", "3 * self.degree", "the gap is a third of the points, not half"
    ),
    room.coefficient("TowerCode.message_digits", "+ 1", "+ 0", "the constant function is not counted"),
    room.coefficient("tower_code", "(root - 5)", "(root - 4)", "a curve may have too few points"),
    room.threshold("tower_code", "level = 1", "level = 2", "the first curve, the line, is never used"),
    room.threshold(
        "AsymptoticPCP.bits",
        "self.root.bit_length()",
        "(self.root.bit_length() + 1)",
        "one bit too many is counted",
    ),
    room.coefficient(
        "AsymptoticPCP.alphabet", "(2 * self.blocks)", "self.blocks", "the field has l elements, not l^2"
    ),
    room.coefficient(
        "AsymptoticPCP.log_alphabet", "2 * self.blocks", "self.blocks", "the logarithm lacks its factor 2"
    ),
    room.coefficient("AsymptoticPCP.from_log_vectors", "-76", "-72", "72 in the place of 76"),
    room.threshold(
        "AsymptoticPCP.from_log_vectors",
        "-int(-76 * self.bits / self.loss // 1)",
        "int(76 * self.bits / self.loss // 1)",
        "the least log2 N is rounded down",
    ),
    room.threshold(
        "AsymptoticPCP.block",
        "-int(-self.density * log_vectors / self.blocks // 1)",
        "int(self.density * log_vectors / self.blocks // 1)",
        "s0 is rounded down",
    ),
    room.threshold("AsymptoticPCP.block", "max(1,", "max(2,", "s0 is at least 2"),
    room.coefficient(
        "AsymptoticPCP.log_messages",
        "2 * self.bits",
        "self.bits",
        "a digit counts as an element of the field with l elements",
    ),
    room.coefficient("choose", "72 * density", "36 * density", "T is chosen too small"),
    room.threshold("choose", "<= loss * blocks", "<= 2 * loss * blocks", "twice the loss is allowed"),
    room.threshold("choose", "<= loss * blocks", "< loss * blocks", "a T that just serves is passed over"),
    room.threshold("choose", "blocks = 16", "blocks = 32", "T is at least 32"),
    room.coefficient("choose", "blocks *= 2", "blocks *= 4", "every other power of two is passed over"),
    room.index("choose", "nextprime(blocks)", "nextprime(2 * blocks)", "l is the next prime after 2T"),
)

UNTOUCHED: dict[str, str] = {}
