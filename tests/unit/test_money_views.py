"""No view adds up money of several currencies: whatever sums amounts does it by currency, or by a document, which has one."""

import re
from pathlib import Path

import pytest

MODELS = Path(__file__).parents[2] / "sql" / "models"
MONEY = re.compile(r"\bsum(?:If)?\(\s*-?\s*(?:\w+\.)?\w*(?:amount|total|balance|open|net|credit\w*|paid\w*|debit\w*)\b")
BY_ONE_CURRENCY = re.compile(r"\b\w*currency\b|\bdocument_id\b")


def scopes(text: str) -> list[str]:
    """What each sum of money is by: the GROUP BY after it, or the PARTITION BY of its window."""
    found = []
    for match in MONEY.finditer(text):
        rest = text[match.start() :]
        window = re.match(r"[^\n]*?\)\s*OVER\s*\(\s*PARTITION BY ([^\n]*?) ORDER BY", rest) or re.match(
            r"[^\n]*?\)\s*OVER\s*\(\s*PARTITION BY ([^\n]*?)\)", rest
        )
        if window is None:
            window = re.search(r"GROUP BY\s+((?:[^()]|\([^)]*\))*?)(?:\)|\bHAVING\b|\bORDER BY\b|\Z|\bWINDOW\b)", rest)
        found.append(window[1].strip() if window else "nothing")
    return found


def views() -> list[str]:
    texts = {path.stem: re.sub(r"--[^\n]*", "", path.read_text("utf-8")) for path in sorted(MODELS.glob("*.sql"))}
    return [name for name, text in texts.items() if MONEY.search(text)]


@pytest.mark.parametrize("view", views())
def test_money_is_added_up_by_currency(view: str) -> None:
    text = re.sub(r"--[^\n]*", "", (MODELS / f"{view}.sql").read_text("utf-8"))
    assert [scope for scope in scopes(text) if not BY_ONE_CURRENCY.search(scope)] == []


def test_the_views_of_money_are_among_them() -> None:
    assert {"account_balances", "account_items", "account_statement", "bill_documents", "settled_charges"} <= set(
        views()
    )


def test_a_sum_across_currencies_is_seen() -> None:
    text = "SELECT account, sum(amount) AS total FROM lines GROUP BY account\n"
    assert scopes(text) == ["account"] and not BY_ONE_CURRENCY.search(scopes(text)[0])
