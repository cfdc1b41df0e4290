"""The mutants of ``lem-distributed-pcp``: the reduction, its proof system, the codes and the fields."""

from checks.mutation.mutant import Room

room = Room("reductions.lower_bound.distributed_pcp", "lem-distributed-pcp")
SYSTEM, CODES, FIELDS = (
    f"reductions.codes.{name}" for name in ("proof_system", "evaluation_codes", "finite_field")
)

MUTANTS = (
    room.index(
        "MessageInstances.__init__",
        "system.key_columns(source.right)",
        "system.key_columns(source.left)",
        "the keys are made of the left vectors",
    ),
    room.index(
        "MessageInstances.rectangular",
        "for message in self.messages",
        "for message in self.messages[::-1]",
        "the messages' queries come in reverse order",
    ),
    room.threshold(
        "MessageInstances._instance",
        "threshold=self.system.code.length",
        "threshold=self.system.code.length - 1",
        "one point may disagree",
    ),
    room.index(
        "MessageInstances.right_message",
        "self.forms[pair[0], self.columns[pair[1]]]",
        "self.forms[pair[0], self.columns[pair[0]]]",
        "the first index is used twice",
    ),
    room.formula(
        "MessageInstances.right_message",
        ".all(axis=1)",
        ".any(axis=1)",
        "a message that is right at one point is taken",
    ),
    room.index(
        "MessageInstances.__getitem__",
        "self.messages[index])",
        "self.messages[0])",
        "every instance has the first message",
        statements=("lem-distributed-pcp", "lem-route-crossover"),
    ),
    room.index(
        "DistributedPCPReduced.map_witness",
        "* len(self.source.left) + i",
        "* len(self.source.right) + j",
        "a query is numbered by its key",
    ),
    room.formula(
        "DistributedPCPReduced.extract_solution",
        "% len(self.source.left)",
        "// len(self.source.left)",
        "a query's message is taken for its vector",
    ),
    room.index(
        "DistributedPCP.__init__",
        'messages == "all"',
        'messages != "all"',
        "all messages and the feasible ones change places",
    ),
    room.coefficient(
        "DistributedPCP.parameter_map",
        'len(self.message_list) * size("N")',
        'size("N")',
        "the messages are not counted",
    ),
    room.coefficient(
        "DistributedPCP.parameter_map",
        "sympy.Integer(self.system.gap)",
        "sympy.Integer(1)",
        "the gap is stated as 1",
    ),
    # ---- the proof system
    room.coefficient(
        "ProofSystem.coordinates",
        "self.code.block * self.blocks",
        "self.code.block + self.blocks",
        "the largest m is a sum",
        module=SYSTEM,
    ),
    room.coefficient(
        "ProofSystem.bound",
        "self.code.squared_degree",
        "self.code.squared_degree - 1",
        "the bound is one too small",
        module=SYSTEM,
    ),
    room.threshold(
        "ProofSystem.fault",
        "nonempty=True",
        "nonempty=False",
        "the empty sum counts as a zero sum",
        module=SYSTEM,
    ),
    room.index(
        "ProofSystem.message_basis",
        "combinations(encoders, 2)",
        "product(encoders, repeat=2)",
        "squares count as messages",
        module=SYSTEM,
    ),
    room.index(
        "ProofSystem.message_number",
        "np.arange(len(pivots))[::-1]",
        "np.arange(len(pivots))",
        "the digits are read backwards",
        module=SYSTEM,
    ),
    room.index(
        "ProofSystem.feasible_messages",
        "((0, 0), (1, 0), (0, 1))",
        "((0, 0), (1, 1), (0, 1))",
        "shared ones are taken for disjoint",
        module=SYSTEM,
    ),
    room.coefficient(
        "ProofSystem.feasible_messages",
        "field.multiply(weight, part)",
        "part",
        "the weights are left out",
        module=SYSTEM,
    ),
    room.formula(
        "ProofSystem.encode",
        "padded[:, : bits.shape[1]] = bits",
        "padded[:, : bits.shape[1] - 1] = bits[:, :-1]",
        "the last coordinate is lost",
        module=SYSTEM,
    ),
    room.index(
        "ProofSystem.key_columns",
        "np.arange(self.blocks)[::-1]",
        "np.arange(self.blocks)",
        "a symbol's digits are read backwards",
        module=SYSTEM,
    ),
    room.index(
        "ProofSystem.forms",
        "self.encode(left), np.array(self.weights",
        "self.encode(left), np.array(self.weights[::-1]",
        "the weights are used in reverse order",
        module=SYSTEM,
    ),
    room.formula(
        "ProofSystem.queries",
        "forms == np.repeat",
        "forms != np.repeat",
        "the values that are wrong are marked",
        module=SYSTEM,
    ),
    room.formula(
        "ProofSystem.squares",
        "self.code.encoders, self.code.encoders)",
        "self.code.encoders, self.code.encoders[::-1])",
        "encoders are multiplied in reverse order",
        module=SYSTEM,
    ),
    # ---- the codes
    room.coefficient(
        "reed_solomon",
        "2 * (block - 1)",
        "2 * block - 3",
        "the squared degree is one too small",
        module=CODES,
    ),
    room.index(
        "reed_solomon",
        "np.arange(block) == block - 1",
        "np.arange(block) == 0",
        "the constant term is taken for the leading one",
        module=CODES,
    ),
    room.formula("elliptic", "multiply(a1, x)", "multiply(a3, x)", "a1 is taken for a3", module=CODES),
    room.coefficient(
        "_one_point",
        "2 * pole_order)",
        "2 * pole_order - 1)",
        "the squared degree of a curve's code is one too small",
        module=CODES,
    ),
    room.threshold(
        "_one_point",
        "function[0] <= pole_order",
        "function[0] < pole_order",
        "the function with the largest pole is left out",
        module=CODES,
    ),
    room.coefficient(
        "hermitian", "root + 1))", "root))", "the curve's exponent is r in the place of r + 1", module=CODES
    ),
    # ---- the fields
    room.coefficient(
        "", "4: (2, (1, 1, 1))", "4: (2, (1, 0, 1))", "the modulus of GF(4) is a square", module=FIELDS
    ),
    room.formula(
        "FiniteField.__post_init__",
        "carry - shifted",
        "carry + shifted",
        "the modulus is added, not subtracted",
        module=FIELDS,
    ),
    room.formula(
        "FiniteField.__post_init__",
        "-digits % p",
        "digits % p",
        "an element is its own negative",
        module=FIELDS,
    ),
    room.threshold(
        "FiniteField.subset_sums", "{value} | {int", "{int", "sums of one element are left out", module=FIELDS
    ),
    room.index("zero_sum_free", "t // (p - 1)", "t // p", "one weight too many is 1", module=FIELDS),
    room.formula(
        "row_reduce",
        "field.negation[rows[others, column]]",
        "rows[others, column]",
        "rows are added, not subtracted",
        module=FIELDS,
    ),
)

UNTOUCHED = {
    "MessageInstances.__len__": "Only counts the messages.",
    "DistributedPCP.message_instances": "Only refuses vectors with too many coordinates.",
    "DistributedPCP.map_instance": "Only joins what other functions build.",
    "DistributedPCP.parameters": "Only for display: how the reduction was made.",
}
