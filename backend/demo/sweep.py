"""The demonstration's campaign: started before the phones come back, and the account of what its doors came to."""

from datetime import date, timedelta
from typing import Any

from backend.demo.office import Office

NAME = "冬季消防安全专项行动"
FORMS, KINDS = ("ebike_charging", "anti_theft_window"), ("household", "premises")


def start_campaign(office: Office, today: date) -> str:
    """Freeze the doors of the week that was played and of the one that has begun; returns the campaign's path."""
    body = {
        "name": NAME,
        "forms": list(FORMS),
        "kinds": list(KINDS),
        "first_day": (today - timedelta(days=7)).isoformat(),
        "last_day": (today + timedelta(days=6)).isoformat(),
    }
    path = f"/api/v1/campaigns/{office.post('/api/v1/campaigns', body)['id']}"
    office.post(f"{path}/start", {})
    return path


def account_of(office: Office, path: str) -> dict[str, Any]:
    """The board, and how many missed doors the office can name."""
    board = office.get(f"{path}/board")
    missed = office.pages(f"{path}/doors", missed="true")
    return {
        "name": NAME,
        "statement": f"{path}/statement.html",
        "denominator": board["denominator"],
        "total": board["total"],
        "grids": board["grids"],
        "named": len(missed),
        "without_reason": sum(not door["reason"] for door in missed),
    }


def is_honest(account: dict[str, Any]) -> bool:
    """target = settled + outstanding in each grid and in total, and every missed door is named with its reason."""
    d, total = account["denominator"], account["total"]
    return (
        all(line["target"] == line["settled"] + line["outstanding"] for line in [*account["grids"], total])
        and sum(line["target"] for line in account["grids"]) == total["target"]
        and d["frozen"] + d["found"] - d["merged"] - d["withdrawn"] == d["target"] == total["target"]
        and account["named"] == total["outstanding"]
        and not account["without_reason"]
    )
