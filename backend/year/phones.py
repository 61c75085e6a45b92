"""The phones of the year: one a person, up since before it began, which send everything when it ends.

The server's clock is not touched. Each phone takes an anchor when it first connects; what it wrote since its boot then
has its own true time, as the protocol says.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from backend.demo.community import Person
from backend.year.community import REGISTERED
from backend.year.diary import Diary
from mobile_contract.conformance.faults import Luck
from mobile_contract.conformance.notebook import MadeRecord
from mobile_contract.conformance.phone import Login, Phone
from mobile_contract.conformance.syncing import pull_all, push_all, take_anchor

Count = Callable[[str, int, int], None]
BOOTED_MS = int(REGISTERED.timestamp() * 1000)
PATIENCE_S = 120
THREADS = 4


class YearPhones:
    """A phone for each of ``people``, signed in."""

    def __init__(self, base_url: str, people: Iterable[Person], seed: int, count: Count) -> None:
        self._count = count
        self._began, self._server_ms = time.monotonic(), BOOTED_MS
        everybody = list(people)
        self._read_clock(base_url, everybody[0])
        self.of = {p: self._phone(base_url, p, f"{seed}/{n}") for n, p in enumerate(everybody)}
        self._each(lambda phone: phone.sign_in(BOOTED_MS), "phones sign in")

    def _phone(self, base_url: str, person: Person, seed: str) -> Phone:
        login = Login(person.login, person.password)
        return Phone(person.name, base_url, login, Luck((), seed), self._now_ms, PATIENCE_S)

    def _now_ms(self) -> int:
        return self._server_ms + int((time.monotonic() - self._began) * 1000)

    def _read_clock(self, base_url: str, person: Person) -> None:
        """Learn the server's time by a phone that is used for nothing else."""
        phone = self._phone(base_url, person, "clock")
        phone.sign_in(BOOTED_MS)
        take_anchor(phone)
        anchor = phone.notebook.boot.anchor or {}
        self._began, self._server_ms = time.monotonic(), int(anchor["server_ms"])
        phone.wire.close()

    def places(self, person: Person) -> dict[str, str]:
        """Field code → id of all places that somebody's phone is told of."""
        phone = self.of[person]
        pull_all(phone)
        return {str(row["code"]): place_id for place_id, row in phone.view.entities("place").items()}

    def write(self, diary: Diary) -> None:
        """Everything that was written, in the order of its time."""
        for entry in sorted(diary.entries, key=lambda entry: entry.at_ms):
            phone = self.of[entry.author]
            entry.record = phone.notebook.write(entry.type, entry.at_ms, entry.write(phone.notebook))
            phone.keep(entry.record)

    def push(self) -> None:
        """Everything that waits, in batches as large as the protocol allows."""
        self._each(push_all, "phones push")

    def refused(self) -> list[MadeRecord]:
        """Records that the server put into quarantine."""
        books = [phone.notebook for phone in self.of.values()]
        return [record for book in books for record in book.records.values() if record.status != "stored"]

    def records(self) -> list[MadeRecord]:
        """All that were made."""
        return [record for phone in self.of.values() for record in phone.notebook.records.values()]

    def close(self) -> None:
        """Close all connections."""
        for phone in self.of.values():
            phone.wire.close()

    def _each(self, action: Callable[[Phone], None], label: str) -> None:
        phones = list(self.of.values())
        with ThreadPoolExecutor(THREADS) as pool:
            for done, _ in enumerate(pool.map(action, phones), 1):
                self._count(label, done, len(phones))
