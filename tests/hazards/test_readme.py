"""The folder's page tells the life cycle as the table has it."""

from pathlib import Path

import backend.hazards
from backend.hazards.life_cycle_page import BEGIN, END, life_cycle_section

PAGE = Path(backend.hazards.__file__ or "").parent / "README.md"


def test_page_holds_the_generated_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(BEGIN) : page.index(END) + len(END)] == life_cycle_section()
