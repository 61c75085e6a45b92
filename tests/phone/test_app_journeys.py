"""The app in a real browser before a real server, with everything that happens to a phone in a stairwell."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from backend.db import Database
from backend.inspections.models import Record
from backend.places.models import Place
from tests.journeys.serving import wait_until
from tests.phone.conftest import CLIENT, Community, Pick
from tests.phone.handset import Handset
from tests.phone.servers import ApiServer, Wire

#: What the browser's database does when the phone is full.
FULL = """() => {
  window.realAdd = IDBObjectStore.prototype.add
  IDBObjectStore.prototype.add = () => { throw new DOMException('full', 'QuotaExceededError') }
}"""


def on_server(community: Community, db: Database) -> dict[str, str]:
    with db.transaction([community.id]) as session:
        rows = session.execute(select(Record.id, Record.sha256).where(Record.community_id == community.id))
        return {str(key): value.hex() if isinstance(value, bytes) else value for key, value in rows}


def assert_equal(phone: Handset, community: Community, db: Database, count: int) -> None:
    """The phone believes that the server has exactly what it has."""
    records = phone.records()
    assert {record["state"] for record in records} == {"stored"}
    assert {record["id"]: record["sha256"] for record in records} == on_server(community, db)
    assert len(records) == count


def buildings(community: Community, db: Database) -> list[str]:
    with db.transaction([community.id]) as session:
        wanted = select(Place.name).where(Place.community_id == community.id, Place.kind == "building")
        return sorted(session.scalars(wanted.order_by(Place.name)))


def test_sweep_offline_then_sync_everything_is_stored(
    pick_up: Pick, community: Community, db: Database, picture: Path
) -> None:
    phone = pick_up()
    page = phone.start()
    phone.sign_in(community.account())
    page.wait_for_function("navigator.serviceWorker.controller !== null || navigator.serviceWorker.ready")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    building = buildings(community, db)[0]

    phone.context.set_offline(True)
    page.reload()
    phone.unlock()
    phone.open_door(building, 0)
    phone.fill_ebike()
    expect(page.locator(".finding.orange")).to_be_visible()
    page.get_by_role("button", name="当场整改").click()
    phone.take_photo("整改前照片", picture)
    phone.take_photo("整改后照片", picture)
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".cell.done")).to_have_count(1)
    phone.open_door(building, 1)
    phone.visit("无人应答")
    expect(page.locator(".cell.again")).to_have_count(1)
    phone.to_building(building)
    page.get_by_role("link", name="这里还有一户").click()
    page.fill("input[name=name]", "909室")
    page.get_by_role("button", name="新增并走访").click()
    phone.visit("拒访")

    page.goto(f"{phone.base_url}/m/#/sync")
    expect(page.get_by_text("4 条记录等待上传")).to_be_visible()
    expect(page.get_by_text("全部已存到服务器")).to_have_count(0)
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_text("没有上传，不能退出")).to_be_visible()

    phone.context.set_offline(False)
    phone.drain()
    assert_equal(phone, community, db, 4)
    expect(page.get_by_text("全部已存到服务器")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("张照片等待上传")).to_have_count(0)
    expect(page.get_by_text("张照片被服务器拒收")).to_have_count(0)
    # The door found in the field has come back by the feed, and stays one door.
    phone.to_building(building)
    expect(page.locator(".cell", has_text="909室")).to_have_count(1)


def test_kill_server_amid_a_push_drains_after_its_return(
    pick_up: Pick, community: Community, db: Database, api: ApiServer, wire: Wire
) -> None:
    phone = pick_up(wire.base_url)
    phone.start()
    phone.sign_in(community.account())
    building = buildings(community, db)[0]
    phone.context.set_offline(True)
    for number in range(3):
        phone.open_door(building, number)
        phone.visit("空置")
    killed = []

    def kill() -> str:
        if not killed:
            killed.append(True)
            api.kill()
        return "pass"

    wire.on_push = kill
    phone.context.set_offline(False)
    phone.page.goto(f"{phone.base_url}/m/#/sync")
    wait_until(lambda: killed or phone.page.wait_for_timeout(200), "the server is killed", 60)
    expect(phone.page.get_by_text("3 条记录等待上传")).to_be_visible()
    api.start()
    phone.drain()
    assert_equal(phone, community, db, 3)


def test_swallow_answers_doubles_nothing(pick_up: Pick, community: Community, db: Database, wire: Wire) -> None:
    phone = pick_up(wire.base_url)
    phone.start()
    phone.sign_in(community.account())
    wire.on_push = lambda: "swallow" if wire.pushes < 4 else "pass"
    building = buildings(community, db)[0]
    for number in range(2):
        phone.open_door(building, number)
        phone.visit("无人应答")
    phone.drain()
    assert wire.pushes >= 4
    assert_equal(phone, community, db, 2)


def test_kill_browser_amid_a_form_finds_the_draft_again(
    pick_up: Pick, community: Community, db: Database, picture: Path
) -> None:
    phone = pick_up()
    page = phone.start()
    phone.sign_in(community.account())
    building = buildings(community, db)[0]
    phone.open_door(building, 2)
    phone.fill_ebike()
    phone.take_photo("现场照片", picture)
    page.wait_for_timeout(4000)  # drafts are kept a moment after the last touch; a busy machine takes its time
    phone.kill()
    page = phone.start()
    phone.unlock()
    phone.to_building(building)
    expect(page.locator(".cell.draft")).to_have_count(1)
    page.locator(".cell.draft").click()
    expect(page.locator("[data-field=behaviours]").get_by_role("button", name="违规停放")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator("[data-field=floor_label] input")).to_have_value("3F")
    expect(page.locator(".taker img")).to_have_count(1)
    page.get_by_role("button", name="保存").click()
    phone.drain()
    assert_equal(phone, community, db, 1)


@pytest.mark.parametrize("years", [-10, 10])
def test_set_clock_wrong_orders_nothing(pick_up: Pick, community: Community, db: Database, years: int) -> None:
    phone = pick_up()
    shift = years * 365 * 24 * 3600 * 1000
    phone.start(f"const real = Date.now.bind(Date); Date.now = () => real() + {shift}")
    phone.sign_in(community.account())
    phone.open_door(buildings(community, db)[0], 0)
    phone.visit("空置")
    phone.drain()
    assert_equal(phone, community, db, 1)
    [record] = phone.records()
    real = phone.page.evaluate("new Date().getTime()")
    assert record["time_quality"] == "anchored"
    assert abs(record["effective_at_ms"] - real) < 3600 * 1000


def test_work_in_two_tabs_keeps_both(pick_up: Pick, community: Community, db: Database) -> None:
    phone = pick_up()
    first = phone.start()
    phone.sign_in(community.account())
    second = phone.open_tab()
    phone.unlock(second)
    building = buildings(community, db)[0]
    phone.context.set_offline(True)
    for number, tab in enumerate((first, second, first, second)):
        phone.open_door(building, number, tab)
        phone.visit("空置", tab)
    assert [record["seq"] for record in phone.records()] == [1, 2, 3, 4]
    phone.context.set_offline(False)
    phone.drain()
    assert_equal(phone, community, db, 4)
    phone.to_building(building, second)
    expect(second.locator(".cell.done")).to_have_count(4)


def test_run_out_of_storage_says_so_and_keeps_the_page(pick_up: Pick, community: Community, db: Database) -> None:
    phone = pick_up()
    page = phone.start()
    phone.sign_in(community.account())
    phone.open_door(buildings(community, db)[0], 0)
    page.locator(".outcomes").get_by_role("button", name="空置").click()
    page.wait_for_timeout(4000)  # drafts are kept a moment after the last touch; a busy machine takes its time
    page.evaluate(FULL)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("没有保存")).to_be_visible()
    page.evaluate("() => { IDBObjectStore.prototype.add = window.realAdd }")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".cell.done")).to_have_count(1)
    phone.drain()
    assert_equal(phone, community, db, 1)


def test_share_phone_keeps_workers_apart(pick_up: Pick, community: Community, db: Database) -> None:
    phone = pick_up()
    page = phone.start()
    building = buildings(community, db)[0]
    phone.sign_in(community.account(name="石小满"))
    phone.context.set_offline(True)
    phone.open_door(building, 0)
    phone.visit("空置")
    page.goto(f"{phone.base_url}/m/#/sync")
    page.get_by_role("button", name="锁屏").click()
    phone.context.set_offline(False)
    page.get_by_role("button", name="其他人登录").click()
    phone.sign_in(community.account(name="田大禾"))
    phone.to_building(building)
    expect(page.locator(".cell.done")).to_have_count(0)
    page.goto(f"{phone.base_url}/m/#/sync")
    expect(page.get_by_text("本机还有其他人未上传的数据：石小满 1")).to_be_visible()
    page.get_by_role("button", name="代 石小满 上传").click()
    expect(page.get_by_text("已上传 1 条")).to_be_visible()
    assert_equal(phone, community, db, 1)
    page.get_by_role("button", name="锁屏").click()
    page.get_by_role("button", name="石小满").click()
    page.fill("input[name=pin]", "1111")
    page.get_by_role("button", name="确定").click()
    expect(page.get_by_text("PIN 码不对")).to_be_visible()
    phone.unlock()
    assert_equal(phone, community, db, 1)


def test_forget_the_pin_loses_nothing(pick_up: Pick, community: Community, db: Database) -> None:
    phone, worker = pick_up(), community.account()
    page = phone.start()
    phone.sign_in(worker)
    page.goto(f"{phone.base_url}/m/#/sync")
    page.get_by_role("button", name="立即同步").click()
    expect(page.get_by_role("button", name="立即同步")).to_be_enabled()
    phone.context.set_offline(True)
    phone.open_door(buildings(community, db)[0], 0)
    phone.visit("空置")
    page.goto(f"{phone.base_url}/m/#/sync")
    page.get_by_role("button", name="锁屏").click()
    phone.context.set_offline(False)
    page.get_by_role("button", name="其他人登录").click()
    page.fill("input[name=username]", worker.login)
    page.fill("input[name=password]", worker.password)
    page.get_by_role("button", name="登录", exact=True).click()
    page.get_by_role("button", name="忘记 PIN 码").click()
    page.fill("input[name=again]", "97531")
    page.fill("input[name=pin]", "97531")
    page.get_by_role("button", name="确定").click()
    expect(page.locator(".left").first).to_be_visible()
    phone.drain()
    assert_equal(phone, community, db, 1)


def test_update_the_app_with_a_draft_open_keeps_the_draft(pick_up: Pick, community: Community, wire: Wire) -> None:
    phone = pick_up(wire.base_url)
    page = phone.start()
    phone.sign_in(community.account())
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.reload()
    phone.unlock()
    old = page.evaluate("caches.keys()")
    page.locator(".card.link").first.click()
    page.locator(".cell").first.click()
    phone.fill_ebike()
    page.wait_for_timeout(4000)  # drafts are kept a moment after the last touch; a busy machine takes its time

    # The next version of the app: another service worker, asked for without the short way of "not modified".
    version = old[0].encode()
    wire.rewrite = lambda data: data.replace(version, b"saolou-" + b"f" * 12)
    wire.rewrite_request = lambda data: data.replace(b"If-None-Match", b"Xf-None-Match").replace(
        b"If-Modified-Since", b"Xf-Modified-Since"
    )
    page.evaluate("navigator.serviceWorker.ready.then((held) => held.update()).then(() => 1)")
    page.goto(f"{phone.base_url}/m/#/sync")
    expect(page.get_by_text("新版本已下载")).to_be_visible(timeout=30_000)
    assert page.evaluate("caches.keys()") != old
    page.get_by_role("button", name="现在更新").click()
    expect(page.locator("input[name=pin]")).to_be_visible(timeout=30_000)
    assert page.evaluate("caches.keys()") == ["saolou-ffffffffffff"]
    page.goto(f"{phone.base_url}/m/#/")
    phone.unlock()
    page.locator(".card.link").first.click()
    page.locator(".cell.draft").click()
    expect(page.locator("[data-field=floor_label] input")).to_have_value("3F")


def test_look_at_screens_with_axe_finds_nothing_grave(pick_up: Pick, community: Community, db: Database) -> None:
    axe = (CLIENT / "node_modules/axe-core/axe.min.js").read_text()
    phone = pick_up()
    page = phone.start()

    def check(screen: str) -> None:
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        grave = [
            (row["id"], [node["html"][:160] for node in row["nodes"]])
            for row in found
            if row["impact"] in ("serious", "critical")
        ]
        assert grave == [], f"{screen}: {json.dumps(grave, ensure_ascii=False, indent=1)}"

    check("sign in")
    phone.sign_in(community.account())
    check("sweep")
    building = buildings(community, db)[0]
    phone.to_building(building)
    check("building")
    phone.open_door(building, 0)
    phone.fill_ebike()
    check("form")
    page.wait_for_timeout(500)
    for address in ("tasks", "sync", "scan", f"found/{community.tree.buildings[0]}"):
        page.goto(f"{phone.base_url}/m/#/{address}")
        page.wait_for_timeout(500)
        check(address)
