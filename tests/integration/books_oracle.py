"""The journal worked out once more, in plain Python from the records of the billing log: no SQL, and no code of meterfold's.

And a generator of logs: what may stand in one, in an order in which it could have been said.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson

Record = dict[str, Any]
Leg = tuple[Any, ...]
"""(legal entity, month, posting, leg, memo, day, tax point, ledger account, account, currency, debit, credit, source)"""

ROLE_OF_ENTRY = {"goodwill": "goodwill", "fee": "fees", "deposit": "deposits", "write_off": "bad_debt"}
BY_DETAIL = ("revenue", "tax", "withheld_cost", "withheld_revenue")


def after(month: str) -> str:
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // 12}-{number % 12 + 1:02}"


def legs_of(records: Iterable[Record]) -> list[Leg]:
    """What the records post, in no order."""
    book = _Book()
    for record in records:
        getattr(book, record["type"], lambda _: None)(record)
    book.accruals()
    return book.legs


class _Book:
    def __init__(self) -> None:
        self.legs: list[Leg] = []
        self.ledgers: dict[str, dict[str, str]] = {}
        self.openings: dict[str, Decimal] = {}
        self.closed: dict[str, str] = {}
        self.lines: dict[str, list[Record]] = {}
        self.said: dict[tuple[str, str], tuple[Record, dict[str, str]]] = {}
        self.seen: set[str] = set()

    def post(
        self,
        record: Record,
        month: str,
        posting: str,
        memo: bool,
        day: str,
        rows: list[tuple[int, str, str, Decimal, str, str]],
    ) -> None:
        """Rows: (leg, role, detail, amount with debit above zero, source, tax point)."""
        entity = record["legal_entity"]
        names = record.get("names", self.ledgers.get(entity, {}))
        for leg, role, detail, amount, source, tax_point in rows:
            if not amount:
                continue
            whole = f"{role}:{detail}" if role in BY_DETAIL else role
            name = names.get(whole, names.get(role, whole))
            debit, credit = (amount, Decimal(0)) if amount > 0 else (Decimal(0), -amount)
            self.legs.append(
                (entity, month, posting, leg, memo, date.fromisoformat(day), date.fromisoformat(tax_point), name, record["account"],
                 record["currency"], debit, credit, source)
            )  # fmt: skip

    def reference(self, record: Record) -> None:
        body = record["body"]
        if record["kind"] == "legal_entity":
            self.ledgers[record["id"]] = body.get("ledger", {})
        if record["kind"] == "account":
            gone = (record.get("ended") or {}).get("withdrawn", False)
            now = Decimal(0) if gone else Decimal(body["opening_position"])
            change = now - self.openings.get(record["id"], Decimal(0))
            self.openings[record["id"]] = now
            said = {**body, "account": record["id"]}
            month = body["billing_from"][:7]
            if body["legal_entity"] in self.closed:
                month = max(month, after(self.closed[body["legal_entity"]]))
            day, source = body["billing_from"], record["id"]
            rows = [(0, "receivable", "", change, source, day), (1, "opening", "", -change, source, day)]
            self.post(said, month, f"opening/{record['id']}/{record['version']}", False, day, rows)

    def line(self, record: Record) -> None:
        self.lines.setdefault(record["document_id"], []).append(record)

    def issued(self, record: Record) -> None:
        day = (
            record.get("issued_on")
            or (date(1970, 1, 1) + timedelta(days=record["issued_ms"] // 86_400_000)).isoformat()
        )
        month = record.get("accounting_period") or day[:7]
        rows = [(0, "receivable", "", Decimal(record["total"]), record["document_id"], day)]
        memo = []
        for line in self.lines[record["document_id"]]:
            amount, place, tax_point = Decimal(line["amount"]), line["position"], line.get("tax_point") or day
            is_tax = line["kind"] == "tax"
            detail = line["band"] if is_tax else line["kind"]
            if "withheld" in line:
                bearer = line["withheld"]["bearer"]
                memo.append((2 * place, "withheld_cost", bearer, amount, line["line_id"], tax_point))
                memo.append((2 * place + 1, "withheld_revenue", detail, -amount, line["line_id"], tax_point))
            else:
                rows.append((place, "tax" if is_tax else "revenue", detail, -amount, line["line_id"], tax_point))
        self.post(record, month, f"issued/{record['document_id']}", False, day, rows)
        self.post(record, month, f"withheld/{record['document_id']}", True, day, memo)

    def payment(self, record: Record) -> None:
        self.both(record, "payment", record["payment_id"], record["received_on"], "bank", "receivable")

    def entry(self, record: Record) -> None:
        self.both(record, "entry", record["entry_id"], record["on"], "receivable", ROLE_OF_ENTRY[record["kind"]])

    def both(self, record: Record, kind: str, name: str, day: str, debit: str, credit: str) -> None:
        if f"{kind}/{name}" in self.seen:
            return
        self.seen.add(f"{kind}/{name}")
        amount = Decimal(record["amount"])
        rows = [(0, debit, "", amount, name, day), (1, credit, "", -amount, name, day)]
        self.post(record, record["accounting_period"], f"{kind}/{name}", False, day, rows)

    def accrued(self, record: Record) -> None:
        self.said[record["legal_entity"], record["period"]] = record, self.ledgers.get(record["legal_entity"], {})

    def accruals(self) -> None:
        for (entity, month), (record, names) in self.said.items():
            first = date.fromisoformat(f"{after(month)}-01")
            for line in record["lines"]:
                of = {"legal_entity": entity, "names": names, **line}
                posting, net = f"accrual/{entity}/{month}/{line['account']}/{line['currency']}", Decimal(line["net"])
                for sign, day, in_month, name in (
                    (1, first - timedelta(days=1), month, posting), (-1, first, after(month), f"{posting}/reversal"),
                ):  # fmt: skip
                    rows = [
                        (0, "accrued_income", "", sign * net, month, day.isoformat()),
                        (1, "accrued_revenue", "", -sign * net, month, day.isoformat()),
                    ]
                    self.post(of, in_month, name, False, day.isoformat(), rows)

    def period_closed(self, record: Record) -> None:
        self.closed[record["legal_entity"]] = max(record["period"], self.closed.get(record["legal_entity"], ""))


# -- logs -----------------------------------------------------------------------------------------------------------------

NAMES = (
    "receivable",
    "revenue",
    "revenue:energy",
    "tax:VAT",
    "bank",
    "fees",
    "accrued_income",
    "withheld_cost",
    "withheld_cost:LANDLORD",
)
FRONTIER: list[list[int]] = [[0, 1, 0]]


def a_log(seed: int, events: int = 60) -> Iterator[Record]:
    """Records of two legal entities, two accounts each, as a bookkeeping office may leave them behind."""
    yield from _Office(random.Random(seed)).events(events)


class _Office:
    def __init__(self, choice: random.Random) -> None:
        self.choice = choice
        self.versions: dict[str, int] = {}
        self.closed = {"LE": "", "OTHER": ""}
        self.number = 0
        self.day = date(2024, 1, 3)

    def events(self, count: int) -> Iterator[Record]:
        for entity in ("LE", "OTHER"):
            yield self.entity(entity)
            for account in (f"{entity}-A", f"{entity}-B"):
                yield self.account(entity, account)
        for _ in range(count):
            self.day += timedelta(days=self.choice.choice((0, 1, 2, 9)))
            entity = self.choice.choice(("LE", "LE", "OTHER"))
            account = f"{entity}-{self.choice.choice('AB')}"
            self.number += 1
            what = self.choice.choice(
                ("document",) * 4 + ("payment", "payment", "entry", "entry", "accrued", "closed", "entity", "account")
            )
            if what == "document":
                yield from self.document(entity, account)
            elif what == "entity":
                yield self.entity(entity)
            elif what == "account":
                yield self.account(entity, account)
            elif what == "accrued":
                yield self.accrued(entity)
            elif what == "closed":
                yield self.close(entity)
            else:
                yield self.money(what, entity, account)

    def amount(self, least: int = -5000) -> str:
        return f"{Decimal(self.choice.choice((0, self.choice.randrange(least, 20_000)))) / 100:.2f}"

    def month(self, entity: str, day: date) -> str:
        month = f"{day:%Y-%m}"
        return max(month, after(self.closed[entity])) if self.closed[entity] else month

    def reference(self, kind: str, name: str, body: Record, ended: Record | None = None) -> Record:
        self.versions[name] = self.versions.get(name, 0) + 1
        return {
            "type": "reference",
            "kind": kind,
            "id": name,
            "version": self.versions[name],
            "body": body,
            "ended": ended,
        }

    def entity(self, name: str) -> Record:
        ledger = {key: f"{1000 + self.choice.randrange(9)}" for key in NAMES if self.choice.random() < 0.3}
        return self.reference(
            "legal_entity", name, {"name": name, "currency": "GBP", "invoice_series": name, "ledger": ledger}
        )

    def account(self, entity: str, name: str) -> Record:
        body = {
            "legal_entity": entity, "party_id": "P", "currency": "GBP", "billing_from": "2024-01-01",
            "calendar": {"kind": "monthly", "day": 1}, "opening_position": self.amount(),
        }  # fmt: skip
        ended = {"reason": "a mistake", "withdrawn": True} if self.choice.random() < 0.2 else None
        return self.reference("account", name, body, ended)

    def document(self, entity: str, account: str) -> Iterator[Record]:
        run_id, currency = f"{entity}-R{self.number}", self.choice.choice(("GBP", "GBP", "EUR"))
        document_id = f"{run_id}/{account}/2024-01-01/{currency}"
        yield {
            "type": "run_opened", "run_id": run_id, "legal_entity": entity, "account": account, "frontier": FRONTIER, "billing_offset": 1,
            "rule_version": "x", "as_of_ms": 1, "lease_until_ms": 1,
        }  # fmt: skip
        lines = [
            self.line(entity, account, run_id, document_id, currency, position)
            for position in range(1, self.choice.randrange(2, 7))
        ]
        yield from lines
        total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
        yield {"type": "run_closed", "run_id": run_id, "lines": len(lines), "total": {currency: f"{total:.2f}"}}
        if self.choice.random() < 0.2:
            return  # a draft
        charged = sum((Decimal(line["amount"]) for line in lines if "withheld" not in line), Decimal(0))
        joined = b"\n".join(orjson.dumps({"v": 1, **line}) for line in lines)
        booked = {"issued_on": self.day.isoformat(), "accounting_period": self.month(entity, self.day)}
        yield {
            "type": "issued", "document_id": document_id, "legal_entity": entity, "series": entity, "number": self.number,
            "document_number": f"{entity}-{self.number:06}", "kind": "credit_note" if charged < 0 else "invoice", "account": account,
            "run_id": run_id, "period_from": "2024-01-01", "period_to": "2024-02-01", "currency": currency, "total": f"{charged:.2f}",
            "lines_sha256": hashlib.sha256(joined).hexdigest(), "corrects": [],
            "issued_ms": (self.day - date(1970, 1, 1)).days * 86_400_000 + 86_399_999,
            **(booked if self.closed[entity] or self.choice.random() < 0.8 else {}),
        }  # fmt: skip

    def line(self, entity: str, account: str, run_id: str, document_id: str, currency: str, position: int) -> Record:
        kind = self.choice.choice(("energy", "tiers", "standing", "tax", "tax"))
        band = self.choice.choice(("VAT", "LEVY")) if kind == "tax" else ""
        amount = self.amount()
        more: Record = {}
        if self.choice.random() < 0.3:
            more["withheld"] = {"reason": "too late", "bearer": self.choice.choice(("LANDLORD", "SUPPLIER"))}
        if self.choice.random() < 0.3:
            more["tax_point"] = (self.day - timedelta(days=20)).isoformat()
        return {
            "type": "line", "line_id": f"{document_id}/{position}", "document_id": document_id, "position": position, "run_id": run_id,
            "legal_entity": entity, "account": account, "kind": kind, "element": f'["{kind}","{self.number}","{position}"]',
            "supply_point": "", "channel": "", "tariff": "", "tariff_version": "", "band": band, "currency": currency, "unit": "day",
            "period_from": "2024-01-01", "period_to": "2024-02-01", "service_from": "2024-01-01", "service_to": "2024-02-01", "rate": "1",
            "quantity_should": "1", "quantity_was": "0", "quantity": "1", "quantity_estimated": "0", "amount_should": amount,
            "amount_was": "0.00", "amount": amount, **more,
        }  # fmt: skip

    def money(self, kind: str, entity: str, account: str) -> Record:
        name = f"{kind}-{self.number - (self.choice.random() < 0.2)}"  # now and then one that may have been said before
        same = {
            "type": kind, f"{kind}_id": name, "legal_entity": entity, "account": account, "currency": self.choice.choice(("GBP", "EUR")),
            "amount": self.amount(), "person": "clerk", "booked_ms": 1, "accounting_period": self.month(entity, self.day),
        }  # fmt: skip
        if kind == "payment":
            return {**same, "received_on": self.day.isoformat(), "reference": "bank", "allocations": []}
        of = self.choice.choice(sorted(ROLE_OF_ENTRY))
        return {**same, "kind": of, "on": self.day.isoformat(), "concerns": "", "reason": "because"}

    def accrued(self, entity: str) -> Record:
        month = self.month(entity, self.day)
        lines = [
            {"account": f"{entity}-{name}", "currency": currency, "net": self.amount(), "tax": self.amount()}
            for name in "AB" for currency in ("GBP", "EUR") if self.choice.random() < 0.6
        ]  # fmt: skip
        return {
            "type": "accrued", "legal_entity": entity, "period": month, "frontier": FRONTIER, "billing_offset": 1, "as_of_ms": 1,
            "rule_version": "x", "lines": lines, "person": "clerk", "booked_ms": 1, "accounting_period": month,
        }  # fmt: skip

    def close(self, entity: str) -> Record:
        month = after(self.closed[entity]) if self.closed[entity] else f"{self.day - timedelta(days=40):%Y-%m}"
        self.closed[entity] = month
        return {
            "type": "period_closed", "legal_entity": entity, "period": month, "lines": 0, "sha256": "0" * 64, "frontier": FRONTIER,
            "billing_offset": 1, "extracts": [], "person": "clerk", "booked_ms": 1,
        }  # fmt: skip
