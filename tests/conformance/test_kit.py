"""The kit for vendors: it passes our server, and fails a server with any one bug."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from backend.settings import Settings
from mobile_contract.conformance.__main__ import main
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.promises import CHECKS, run_checks
from mobile_contract.conformance.promises.bench import Bench
from mobile_contract.conformance.proxy import Fate, FaultProxy, Weather
from mobile_contract.conformance.wire import Unreachable, Wire
from tests.conformance.conftest import served
from tests.conformance.wrong import BUGS
from tests.factories.api_server import api_server

PROTOCOL = Path(__file__).resolve().parents[2] / "mobile_contract" / "sync" / "PROTOCOL.md"


def run(url: str, login: Login, *more: str) -> int:
    return main(["--base-url", url, "--user", login.username, "--password", login.password, *more])


def test_kit_passes_our_server(
    settings: Settings, login: Login, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over gunicorn, as it is served."""
    report = tmp_path / "report.json"
    with api_server(settings, app="backend.wsgi:app") as url:
        code = run(url, login, "--json", str(report))
    said = capsys.readouterr().out
    found = json.loads(report.read_text(encoding="utf-8"))
    wrong = [(check["name"], check["why"]) for check in found["checks"] if check["result"] != "pass"]
    assert (code, wrong) == (0, []), said
    assert found["passed"] == len(CHECKS)
    assert f"{len(CHECKS)} kept, 0 broken, 0 not tried." in said


@pytest.mark.parametrize("name", BUGS)
def test_kit_fails_a_server_with(app: Flask, login: Login, name: str) -> None:
    wrong, caught_by = BUGS[name]
    with served(wrong(app.wsgi_app)) as url:
        bench = Bench(url, login)
        bench.sign_in()
        chosen = [one for one in CHECKS if one.name == caught_by]
        (outcome,) = run_checks(bench, chosen)
    assert outcome.result == "fail", f"{caught_by} does not see: {name}"
    assert outcome.why


def test_kit_says_what_failed_with_its_clause_and_ends_with_one(
    app: Flask, login: Login, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, caught_by = BUGS["results in another order"]
    with served(wrong(app.wsgi_app)) as url:
        assert run(url, login, "--only", "push-order", "--json", str(tmp_path / "r.json")) == 1
    said = capsys.readouterr().out
    assert "FAIL  §4.6" in said
    assert f"PROTOCOL.md §4.6: {caught_by}" in said
    (check,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["checks"]
    assert (check["clause"], check["result"]) == ("§4.6", "fail")
    assert check["why"]


def test_kit_cannot_begin_with_a_wrong_password_or_no_server(
    app: Flask, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(app.wsgi_app) as url:
        assert run(url, Login(login.username, "not it")) == 2
    assert run(url, login) == 2
    assert main(["--base-url", "http://127.0.0.1:1"]) == 2
    assert "login_failed" in capsys.readouterr().err


def test_kit_names_each_check_once_and_a_clause_that_there_is() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    for one in CHECKS:
        assert one.what.endswith("."), one.name
        for clause in one.clause.split(", "):
            number = clause.removeprefix("§")
            heading = rf"^## {number}\. " if "." not in number else rf"^### {re.escape(number)} "
            assert re.search(heading, text, re.MULTILINE), f"{one.name} names {clause}"


def test_kit_has_a_seeded_bug_for_each_kind_of_promise() -> None:
    caught = {name for _, name in BUGS.values()}
    assert caught <= {one.name for one in CHECKS}
    assert len(BUGS) >= 12


def through(app: Flask, weather: Weather, fates: list[Fate]) -> FaultProxy:
    """A proxy (to be given its upstream) whose next requests have these fates, all later ones none."""
    return FaultProxy("", weather, choose=lambda n, *_: fates[n - 1] if n <= len(fates) else Fate.FORWARD)


def test_proxy_in_fair_weather_changes_nothing(app: Flask, login: Login) -> None:
    with served(app.wsgi_app) as url, FaultProxy(url) as proxy:
        bench = Bench(proxy.url, login)
        bench.sign_in()
        outcomes = run_checks(bench, [one for one in CHECKS if one.name not in ("push-many", "files-cut")])
    assert [(one.promise.name, one.why) for one in outcomes if one.result != "pass"] == []


def test_proxy_gives_each_request_its_fate(app: Flask, login: Login) -> None:
    """What the server did is seen without the proxy: dropped and cut never came, swallowed did."""
    with served(app.wsgi_app) as url:
        direct = Bench(url, login)
        direct.sign_in()
        expected = {Fate.DROP: "missing", Fate.CUT_REQUEST: "missing", Fate.SWALLOW: "held", Fate.CUT_ANSWER: "held"}
        for fate, want in expected.items():
            record = direct.visit()
            proxy = through(app, Weather(cut_bytes=200), [fate])
            proxy.upstream = url
            with proxy, pytest.raises(Unreachable):
                Wire(proxy.url).post("/sync/v1/push", direct.envelope([record]), direct.token)
            missing = direct.ok("reconcile", {"ids": [record["id"]], "attachment_ids": []}).body["missing"]
            assert (record["id"] in missing) == (want == "missing"), fate
            assert dict(proxy.counts) == {fate.value: 1}


def test_proxy_delays_and_still_answers(app: Flask, login: Login) -> None:
    with served(app.wsgi_app) as url:
        proxy = through(app, Weather(delay_ms=1), [Fate.DELAY])
        proxy.upstream = url
        with proxy:
            bench = Bench(proxy.url, login)
            bench.sign_in()
        assert proxy.counts["delay"] == 1


def test_proxy_same_seed_gives_the_same_weather() -> None:
    def fates(seed: int) -> list[Fate]:
        proxy = FaultProxy("http://127.0.0.1:1", Weather(drop=0.2, cut=0.2, swallow=0.2, delay=0.2, seed=seed))
        with proxy:
            return [proxy.fate_of("POST", "/sync/v1/push") for _ in range(200)]

    assert fates(3) == fates(3)
    assert fates(3) != fates(4)
    assert set(fates(3)) == {Fate.FORWARD, Fate.DROP, Fate.CUT_REQUEST, Fate.SWALLOW, Fate.DELAY}


def test_proxy_strikes_only_where_it_is_told() -> None:
    with FaultProxy("http://127.0.0.1:1", Weather(drop=1.0), only="/push") as proxy:
        assert proxy.fate_of("POST", "/sync/v1/pull") is Fate.FORWARD
        assert proxy.fate_of("POST", "/sync/v1/push") is Fate.DROP


@pytest.mark.parametrize("wrong", [{"drop": 1.1}, {"drop": -0.1}, {"drop": 0.6, "cut": 0.6}, {"delay_ms": -1}])
def test_weather_that_cannot_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"between|negative"):
        Weather(**wrong)  # type: ignore[arg-type]


def test_proxy_command_says_what_happened(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    with served(app.wsgi_app) as url:
        assert main(["proxy", "--upstream", url, "--port", "0", "--drop", "0.5", "--seconds", "0.01"]) == 0
    assert "end with Ctrl-C" in capsys.readouterr().out
    assert main(["proxy", "--upstream", url, "--drop", "2"]) == 2
