"""The user's own points for who asks for nothing else: a table, read with what is guessed of it."""

from __future__ import annotations

from gan_core.data.own_data_options import check_answered
from gan_core.data.points import OwnPoints
from gan_core.data.table_rules import MOST_BYTES
from gan_core.data.tables import propose_points

__all__ = ["MOST_BYTES", "parse_points"]


def parse_points(content: bytes, name: str = "The file") -> tuple[OwnPoints, str]:
    """The bytes of a table -> (its points, what was guessed or ""). Raises ConfigError, also for an open question."""
    proposal = propose_points(content, name)
    check_answered(proposal)
    return proposal.data, " ".join(proposal.notes)
