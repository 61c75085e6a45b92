"""A task on the phone, from the office's assignment to the return with its reason."""

from pathlib import Path

from playwright.sync_api import expect

from backend import clock
from backend.app import create_app
from backend.db import Database
from backend.settings import Settings
from tests.factories.sweeps import make_sweep
from tests.phone.conftest import Pick


def test_take_a_task_through_accept_submit_and_return(
    pick_up: Pick, db: Database, settings: Settings, picture: Path
) -> None:
    sweep = make_sweep(create_app(settings, db), db)
    place, head, worker = sweep.tree.households[0], sweep.person("grid_head"), sweep.person("grid_worker")
    sweep.visit(place, at_ms=clock.now_ms() - 3_600_000)
    hazard = sweep.hazard_id(place)
    head.take("assign", hazard, assignee_account_id=str(worker.account.id))
    phone = pick_up()
    page = phone.start()
    phone.sign_in(worker.account)

    def to_task() -> None:
        page.goto(f"{phone.base_url}/m/#/tasks")
        expect(page.get_by_role("button", name="我的 1")).to_be_visible()
        page.locator(".card.link").first.click()

    phone.context.set_offline(True)
    to_task()
    page.get_by_label("拒签见证人").fill("田大禾")
    page.get_by_role("button", name="签收").click()
    expect(page.get_by_text("等待同步").first).to_be_visible()
    phone.context.set_offline(False)
    phone.drain()
    sweep.compile(place)
    assert head.task(hazard)["state"] == "fixing"

    phone.drain()
    page.get_by_role("button", name="立即同步").click()
    to_task()
    page.get_by_label("整改说明").fill("车已移走，楼道清空")
    phone.take_photo("整改后照片", picture)
    page.get_by_role("button", name="报整改").click()
    expect(page.get_by_role("button", name="我的 1")).to_be_visible()
    phone.drain()
    sweep.compile(place)
    assert head.task(hazard)["state"] == "review"

    head.take("return", hazard, reason="照片看不清楼道", deadline_ms=None)
    page.get_by_role("button", name="立即同步").click()
    expect(page.get_by_role("button", name="立即同步")).to_be_enabled()
    to_task()
    expect(page.get_by_text("退回理由：照片看不清楼道")).to_be_visible()
    expect(page.get_by_role("button", name="报整改")).to_be_visible()
