"""The two routes from orthogonal vectors to gap maximum inner product, as the commands take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks.cli.options import ObjectiveChoice, parse_objective
from reductions import choices

if TYPE_CHECKING:
    from reductions.lower_bound.distributed_pcp import DistributedPCP
    from reductions.problem import Problem


def encoding(coordinates: int, objective: ObjectiveChoice) -> DistributedPCP:
    """Return the distributed PCP for vectors with so many coordinates, chosen by ``objective``.

    Raises
    ------
    ValueError
        If no code holds them; the message says how many coordinates fit.
    """
    from reductions.decision.plan import plan_coordinates

    return plan_coordinates(coordinates, "coordinates", objective).reduction()


def refuse_larger_rectangle(step: DistributedPCP, vectors: int, last: bool, limit: int | None) -> None:
    """Raise ValueError where the one instance of all messages would take more than ``limit`` bytes.

    ``last`` says that no further reduction follows. None is the memory available.
    """
    from reductions.lower_bound.distributed_pcp import MOST_ENTRIES
    from reductions.system.memory import available_memory, in_words

    if limit is None:
        limit = available_memory()
    system, queries = step.system, len(step.message_list) * vectors
    entries = queries * system.dimension
    # Bytes of an entry, times the copies that are alive at once, those of attention and tokens included.
    needed = (entries + vectors * system.dimension) * 8 * (4 if last else 16)
    if needed > limit or entries > MOST_ENTRIES:
        raise ValueError(
            f"the queries of all {len(step.message_list):,} messages of the distributed PCP do not fit one "
            f"instance: {queries:,} vectors of dimension {system.dimension:,} take about {in_words(needed)}; "
            f"the limits are {in_words(limit)} and {MOST_ENTRIES:,} entries. "
            "`subquartic decide --route pcp` takes one message at a time."
        )


@dataclass(frozen=True)
class Draw:
    """How `subquartic generate` draws an instance of gap-max-ip, or what is encoded as one.

    ``planted`` is None where nothing is promised about the answer.
    """

    vectors: int
    dimension: int
    route: choices.Route
    objective: str | None
    planted: bool | None
    near_threshold: bool
    seed: int

    def instance(self, *, last: bool) -> tuple[Problem, Any, tuple[DistributedPCP, ...]]:
        """Return an instance, a witness or None, and the steps that lead from it to gap-max-ip.

        Raises
        ------
        ValueError
            If a number is out of range, no code holds the coordinates, or the instance were too large.
        """
        objective = parse_objective(self.objective, self.route)
        if self.route is choices.Route.DIRECT:
            from reductions.problems.random_instances import random_gap_max_ip

            drawn, pair = random_gap_max_ip(
                self.vectors, self.dimension, self.seed, self.planted, self.near_threshold
            )
            return drawn, pair, ()
        from reductions.instance_files.codecs import codec
        from reductions.instance_files.verification import AFFORDABLE_WORK
        from reductions.problems.orthogonal_vectors import OrthogonalVectors

        step = encoding(self.dimension, objective)
        refuse_larger_rectangle(step, self.vectors, last, None)
        vectors = OrthogonalVectors.random(
            self.vectors,
            self.dimension,
            seed=self.seed,
            planted=self.planted,
            near_threshold=self.near_threshold,
        )
        search = self.planted is True and codec("ov").work(vectors) <= AFFORDABLE_WORK
        return vectors, vectors.solve_brute_force() if search else None, (step,)
