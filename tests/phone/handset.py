"""A phone in somebody's hand: Chromium with a profile on disk, the size of a 5-inch screen, driven by its labels."""

import os
import signal
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Playwright, expect

from tests.factories.identity import AccountFixture
from tests.journeys.serving import processes_naming, wait_until

PIN = "2468"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
#: What lies in the open in the app's database: no payloads.
READ_RECORDS = """async () => {
  const found = []
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith('saolou-') || name === 'saolou-device') continue
    const db = await new Promise((done) => { const r = indexedDB.open(name); r.onsuccess = () => done(r.result) })
    const rows = await new Promise((done) => {
      const r = db.transaction('records').objectStore('records').getAll(); r.onsuccess = () => done(r.result)
    })
    db.close()
    for (const { id, sha256, seq, state, time_quality, effective_at_ms } of rows)
      found.push({ id, sha256, seq, state, time_quality, effective_at_ms })
  }
  return found
}"""


class Handset:
    """One phone. ``base_url`` stays the same for its life: the app's data belongs to it."""

    def __init__(self, playwright: Playwright, chromium: str, profile: Path, base_url: str) -> None:
        self.playwright, self.chromium, self.profile, self.base_url = playwright, chromium, profile, base_url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.scripts: list[str] = []
        self.context: BrowserContext
        self.page: Page

    def start(self, script: str | None = None) -> Page:
        """Start the browser and open the app."""
        self.context = self.playwright.chromium.launch_persistent_context(
            self.profile,
            executable_path=self.chromium,
            args=ARGUMENTS,
            viewport={"width": 360, "height": 640},
            device_scale_factor=2,
            is_mobile=True,
            has_touch=True,
            locale="zh-CN",
        )
        if script:
            self.context.add_init_script(script)
        self.page = self.open_tab(self.context.pages[0])
        return self.page

    def open_tab(self, page: Page | None = None) -> Page:
        """The app in a tab."""
        tab = page or self.context.new_page()
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("request", lambda request: self._note(request.url))
        tab.goto(f"{self.base_url}/m/")
        return tab

    def _note(self, url: str) -> None:
        if not url.startswith((self.base_url, "blob:", "data:")):
            self.foreign.append(url)

    def kill(self) -> None:
        """kill -9 of the browser, as a phone does it when memory is short."""
        pids = processes_naming(f"user-data-dir={self.profile}")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        wait_until(lambda: not processes_naming(f"user-data-dir={self.profile}"), "the browser is gone", 20)
        for name in ("SingletonLock", "SingletonCookie", "SingletonSocket"):
            (self.profile / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the browser."""
        self.context.close()

    # -- what a person does ---------------------------------------------------------------------

    def sign_in(self, account: AccountFixture) -> None:
        """The first sign-in, online, and a PIN; the grid is there when it returns."""
        page = self.page
        page.fill("input[name=username]", account.login)
        page.fill("input[name=password]", account.password)
        page.get_by_role("button", name="登录", exact=True).click()
        page.fill("input[name=pin]", PIN)
        page.fill("input[name=again]", PIN)
        page.get_by_role("button", name="确定").click()
        expect(page.locator(".left").first).to_be_visible(timeout=30_000)

    def unlock(self, page: Page | None = None, pin: str = PIN) -> None:
        """Open with the PIN."""
        tab = page or self.page
        tab.fill("input[name=pin]", pin)
        tab.get_by_role("button", name="确定").click()
        expect(tab.get_by_role("heading", level=1, name="我的网格")).to_be_visible(timeout=30_000)

    def to_building(self, name: str, page: Page | None = None) -> None:
        """From anywhere to a building's matrix."""
        tab = page or self.page
        tab.goto(f"{self.base_url}/m/#/")
        tab.locator(".card.link", has_text=name).first.click()
        expect(tab.locator(".cell").first).to_be_visible()

    def open_door(self, building: str, number: int, page: Page | None = None) -> None:
        """Two taps: the building, the door."""
        tab = page or self.page
        self.to_building(building, tab)
        tab.locator(".cell").nth(number).click()
        expect(tab.locator(".outcomes")).to_be_visible()

    def visit(self, outcome: str, page: Page | None = None) -> None:
        """A visit that needs no form, saved."""
        tab = page or self.page
        tab.locator(".outcomes").get_by_role("button", name=outcome).click()
        tab.get_by_role("button", name="保存").click()
        expect(tab.locator(".cell, .left").first).to_be_visible()

    def fill_ebike(self) -> None:
        """Answer the e-bike form so that a rule fires."""
        page = self.page
        page.locator(".outcomes").get_by_role("button", name="已查").click()
        ebike = page.get_by_role("button", name="电动车违规充电", exact=True)
        if ebike.get_attribute("aria-pressed") != "true":
            ebike.click()
        self.choose("informed", "是")
        picks = {
            "place": "楼梯间",
            "building_class": "高层住宅(>27m)",
            "behaviours": "违规停放",
            "blocks_escape": "是",
            "combustibles": "否",
            "facility": "不足",
            "owner_known": "否",
            "onsite": "劝导",
        }
        for field, choice in picks.items():
            self.choose(field, choice)
        page.locator("[data-field=floor_label] input").fill("3F")
        page.locator("[data-field=ebike_count] input").fill("2")
        page.locator("[data-field=ebike_count] input").blur()

    def choose(self, field: str, choice: str) -> None:
        """Tap a choice of a question."""
        self.page.locator(f"[data-field={field}]").get_by_role("button", name=choice, exact=True).click()

    def take_photo(self, label: str, picture: Path) -> None:
        """Take a photo; the camera gives this picture."""
        taker = self.page.locator(".taker", has_text=label)
        before = taker.locator("img").count()
        taker.locator("input[type=file]").set_input_files(picture)
        expect(taker.locator("img")).to_have_count(before + 1)

    # -- what it believes -----------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """Its records, in the order of making: id, hash, state."""
        found: list[dict[str, Any]] = self.page.evaluate(READ_RECORDS)
        return sorted(found, key=lambda record: int(record["seq"]))

    def waiting(self) -> int:
        """How many records wait."""
        return sum(record["state"] == "waiting" for record in self.records())

    def drain(self, seconds: float = 90) -> None:
        """Press the button until nothing waits, as somebody would."""
        self.page.goto(f"{self.base_url}/m/#/sync")

        def tried() -> bool:
            button = self.page.get_by_role("button", name="立即同步")
            if button.count() and button.is_enabled():
                button.click()
            self.page.wait_for_timeout(400)
            return self.waiting() == 0

        wait_until(tried, "the queue drains", seconds)
