"""What people say in a story besides reads and portfolios: editions of a tariff, disputes, credits and charges that no tariff makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from meterfold.accounts.booking import enter
from meterfold.accounts.disputes import dispute, settle
from meterfold.tariffs import steps
from meterfold.tariffs.drafting import edition_body
from tests.integration.billing_world import World

_STATES = {
    "propose": "proposed",
    "approve": "approved",
    "stage": "staged",
    "effect": "effective",
    "withdraw": "withdrawn",
}

Said = Mapping[str, Any]


def edition(world: World, folder: Path, what: Said, now_ms: int) -> None:
    """`draft: FILE` with `tariff`; or one of the other steps of an edition, `stage` with `tenancies`. Ann does it all, and Ben approves."""
    store, log = world.store, world.log
    action, name = next(iter(what.items()))
    if action == "draft":
        records = [orjson.loads(payload) for _, _, payload in log.records]
        body = edition_body((folder / name).read_bytes(), what["tariff"], records)
        assert isinstance(body, dict), [str(problem) for problem in body]
        steps.draft(store, log, what["tariff"], body, "ann", "a story", now_ms)
        return
    person = "ben" if action == "approve" else "ann"
    steps.step(store, log, name, _STATES[action], person, "a story", now_ms, tenancies=tuple(what.get("tenancies", ())))


def entry(world: World, what: Said, now_ms: int) -> None:
    """A `goodwill`, `fee`, `deposit` or `write_off` of an amount; all but a fee are in the account's favour."""
    kind = what["kind"]
    enter(
        world.store, world.log, what["account"], kind, what["amount"], now_ms, "ann", what["reason"],
        is_credit=kind != "fee", concerns=what.get("concerns", ""),
    )  # fmt: skip


def disputed(world: World, what: Said, now_ms: int) -> None:
    """A document is contested for an `amount`, or its dispute has an `outcome`."""
    if "outcome" in what:
        settle(world.store, world.log, what["document"], what["outcome"], now_ms, "ann", what["reason"])
    else:
        dispute(world.store, world.log, what["document"], what.get("amount"), now_ms, "ann", what["reason"])
