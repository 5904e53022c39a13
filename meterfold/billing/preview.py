"""What a run would draft now, rated as a run rates and written nowhere; and whether a run that was made comes out the same again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from typing import Any, Final

from connectors.clickhouse import Session, Store
from meterfold.billing.documents import CREDIT_NOTE, INVOICE, Document, Line
from meterfold.billing.drafting import SAID, drafted_lines
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Blocked, Pins, batches, blocks_in, staged, told
from meterfold.billing.run import RULE_VERSION, UnknownScope, entities_in, fold_frontier, one_at_a_time

PREVIEW: Final = "preview"
"""The run that its documents are said to be of, and their status."""

_LINE: Final = (
    "line_id, position, kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate, quantity_should, "
    "quantity_was, quantity, quantity_estimated, amount_should, amount_was, amount, is_withheld, withheld_reason, withheld_bearer"
)
_PREVIEWED: Final = f"""
SELECT document_id, account, period_from, period_to, currency, minor_digits, payload, {_LINE}
FROM drafted_lines
ORDER BY place
"""
_HEADS: Final = """
WITH
    numbers AS
    (
        SELECT
            account, period_from, currency,
            arrayMap(pair -> pair.2, arraySort(groupArray((billing_offset, document_number)))) AS corrects
        FROM bill_issued FINAL
        WHERE account IN (SELECT value FROM previewed_accounts)
        GROUP BY account, period_from, currency
    )
SELECT account, period_from, currency, corrects
FROM numbers
ORDER BY account, period_from, currency
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """The documents that a run would draft, and what it could not bill, and why."""

    documents: tuple[Document, ...]
    blocked: tuple[Blocked, ...]


def preview_bills(
    store: Store, log: BillingLog, now_ms: int, legal_entity: str | None = None, account: str | None = None
) -> Preview:
    """Rate what a run would, and write nothing. Raises UnknownScope, UnableToProject, and what the log and the store raise."""
    with one_at_a_time():
        known = project(store, log)
        refuse_misread(store)
        found: list[Document] = []
        blocks: list[Blocked] = []
        for entity in entities_in(store, legal_entity, account):
            pins = Pins(entity, account or "", fold_frontier(store), known, now_ms)
            for accounts in batches(store, pins):
                with staged(store, pins, accounts) as session:
                    blocks += blocks_in(session)
                    session.command(drafted_lines(), {"run_id": PREVIEW, "legal_entity": entity})
                    rows = session.query(_PREVIEWED).dicts()
                    session.command("DROP TEMPORARY TABLE drafted_lines")
                found += _documents(store, entity, rows)
        return Preview(tuple(found), told(blocks))


def _documents(store: Store, entity: str, rows: list[dict[str, Any]]) -> list[Document]:
    accounts = sorted({row["account"] for row in rows})
    with store.session() as session, session.listed("previewed_accounts", accounts):
        corrects = {
            tuple(key): tuple(numbers) for *key, numbers in session.query(_HEADS).rows
        }  # by account, period and currency
    parties = dict(store.query("SELECT account, party_id FROM ref_accounts ORDER BY account").rows)
    names = dict(store.query("SELECT legal_entity, name FROM ref_legal_entities ORDER BY legal_entity").rows)
    return [
        _document(entity, names.get(entity, ""), parties, corrects, document_id, list(group))
        for document_id, group in groupby(rows, key=lambda row: row["document_id"])
    ]


def _document(
    entity: str,
    name: str,
    parties: dict[str, str],
    corrects: dict[Any, tuple[str, ...]],
    id_: str,
    rows: list[dict[str, Any]],
) -> Document:
    head = rows[0]
    names = [item.strip() for item in _LINE.split(",")]
    lines = tuple(Line(*(row[column] for column in names)) for row in rows)
    charged = [line for line in lines if not line.is_withheld]
    net = sum((line.amount for line in charged if line.kind != "tax"), Decimal(0))
    tax = sum((line.amount for line in charged if line.kind == "tax"), Decimal(0))
    return Document(
        document_id=id_,
        status=PREVIEW,
        kind=CREDIT_NOTE if net + tax < 0 else INVOICE,
        number="",
        corrects=corrects.get((head["account"], head["period_from"], head["currency"]), ()),
        legal_entity=entity,
        legal_entity_name=name,
        account=head["account"],
        party_id=parties.get(head["account"], ""),
        period_from=head["period_from"],
        period_to=head["period_to"],
        currency=head["currency"],
        minor_digits=head["minor_digits"],
        lines=lines,
        net=net,
        tax=tax,
        total=net + tax,
        withheld=sum((line.amount for line in lines if line.is_withheld), Decimal(0)),
        lines_sha256=sha256("\n".join(row["payload"] for row in rows).encode()).hexdigest(),
        issued_at=None,
        run_id=PREVIEW,
        rule_version=RULE_VERSION,
        frontier_known_at=None,
    )


@dataclass(frozen=True, slots=True)
class OtherLine:
    """A line that comes out otherwise: as the log has it, and as it comes out now; "" where there is none. The texts are the records."""

    line_id: str
    logged: str
    again: str


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A run once more with its own pins. It is the same if no line is another; `rule_version` is the run's, `rules_now` the program's."""

    run_id: str
    lines: int
    others: tuple[OtherLine, ...]
    rule_version: str
    rules_now: str


_COMPARED: Final = f"""
WITH
    stacked AS
    (
        SELECT line_id, payload AS logged_payload, '' AS again_payload, {SAID} AS said
        FROM bill_lines FINAL
        WHERE run_id = {{run_id:String}} AND account IN (SELECT value FROM rating_scope)
        UNION ALL
        SELECT line_id, '' AS logged_payload, payload AS again_payload, {SAID} AS said FROM drafted_lines
    )
SELECT line_id, max(logged_payload) AS logged_text, max(again_payload) AS again_text
FROM stacked
GROUP BY line_id
HAVING count() != 2 OR min(said) != max(said)
ORDER BY line_id
"""


def reproduce_run(store: Store, log: BillingLog, run_id: str) -> Reproduction:
    """Rate a closed run again, seeing what it saw, and hold what every line says against the log. Raises UnknownScope."""
    with one_at_a_time():
        project(store, log)
        found = store.query(
            "SELECT * FROM bill_runs FINAL WHERE run_id = {run:String} AND run_id IN (SELECT run_id FROM bill_run_closed)",
            {"run": run_id},
        ).dicts()
        if not found:
            raise UnknownScope(
                f'there is no closed run {run_id}; `meterfold sql "SELECT run_id FROM bill_runs"` lists them'
            )
        run = found[0]
        frontier = zip(run["frontier_partitions"], run["frontier_offsets"], run["frontier_known_at_ms"], strict=True)
        pins = Pins(run["legal_entity"], run["account"], tuple(frontier), run["known_billing_offset"], run["as_of_ms"])
        others: list[OtherLine] = []
        rated: list[str] = []
        for accounts in batches(store, pins):
            rated += accounts
            with staged(store, pins, accounts) as session:
                others += _others(session, run_id, pins.legal_entity)
        with store.session() as session, session.listed("rated_accounts", rated):
            strangers = session.query(
                "SELECT line_id, payload FROM bill_lines FINAL "
                "WHERE run_id = {run:String} AND account NOT IN (SELECT value FROM rated_accounts) ORDER BY line_id",
                {"run": run_id},
            ).rows
        others += [OtherLine(line_id, payload, "") for line_id, payload in strangers]
        (count,) = store.query(
            "SELECT count() FROM bill_lines FINAL WHERE run_id = {run:String}", {"run": run_id}
        ).rows[0]
        return Reproduction(run_id, int(count), tuple(others), run["rule_version"], RULE_VERSION)


def _others(session: Session, run_id: str, legal_entity: str) -> list[OtherLine]:
    session.command(drafted_lines(), {"run_id": run_id, "legal_entity": legal_entity})
    rows = session.query(_COMPARED, {"run_id": run_id}).rows
    session.command("DROP TEMPORARY TABLE drafted_lines")
    return [OtherLine(*row) for row in rows]
