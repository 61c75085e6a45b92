"""Where messages may be sent: robots that the installation names, at public addresses, and nowhere else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.notifications import web
from backend.notifications.web import (
    PinnedConnection,
    SendFailed,
    WebhookRefused,
    check_address,
    post_json,
    public_address,
)
from backend.settings import ROBOT_HOSTS, Settings
from tests.factories.outside import Robot, certificate_of, robot_server


@pytest.mark.parametrize(
    "url",
    [
        "http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k",
        "https://example.org/hook",
        "https://qyapi.weixin.qq.com.example.org/",
        "https://qyapi.weixin.qq.com@example.org/",
        "https://user:pass@qyapi.weixin.qq.com/",
        "https://qyapi.weixin.qq.com:8443/",
        "https://127.0.0.1/",
        "http://127.0.0.1:5432/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://qyapi.weixin.qq.com/a\r\nHost: x",
        "https://qyapi.weixin.qq.com/#frag",
        "file:///etc/passwd",
        "https://qyapi.weixin.qq.com:x/",
    ],
)
def test_address_that_leads_elsewhere_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(WebhookRefused):
        check_address(url, settings)
    with pytest.raises(SendFailed, match="address_refused"):
        post_json(url, {}, settings)


def test_address_of_a_robot_is_taken(settings: Settings) -> None:
    for host in ROBOT_HOSTS:
        assert check_address(f"https://{host}/robot/send?access_token=x", settings).hostname == host


def check_name_that_leads_inside(settings: Settings) -> None:
    """A name may be allowed, and yet point at a machine of ours."""
    inside = replace(settings, webhook_hosts=("localhost",))
    assert check_address("https://localhost/", inside).hostname == "localhost"
    with pytest.raises(WebhookRefused):
        public_address("localhost", inside)
    with pytest.raises(SendFailed, match="address_refused"):
        post_json("https://localhost/", {}, inside)


def test_name_that_leads_inside_is_refused(settings: Settings) -> None:
    check_name_that_leads_inside(settings)


def test_check_notices_an_address_that_is_not_judged(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded bug: only the name is looked at."""
    monkeypatch.setattr(web, "is_public", lambda _: True)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        check_name_that_leads_inside(settings)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "100.64.0.1", "169.254.169.254", "224.0.0.1", "0.0.0.0"),
        *("::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fd00::1", "ff02::1"),
    ],
)
def test_address_inside_in_whatever_clothes_is_refused(settings: Settings, address: str) -> None:
    """An address is looked up as itself."""
    with pytest.raises(WebhookRefused):
        public_address(address, settings)


def test_public_address_is_taken(settings: Settings) -> None:
    assert public_address("1.1.1.1", settings) == "1.1.1.1"


@pytest.fixture
def tls_robot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Robot]:
    trusted, context = certificate_of(ROBOT_HOSTS[0], tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with robot_server(context) as made:
        yield made


def post(host: str, robot: Robot) -> int:
    connection = PinnedConnection(host, "127.0.0.1")
    connection.port = robot.port
    connection.request("POST", "/", json.dumps({}))
    return connection.getresponse().status


def test_speak_to_the_judged_address_under_the_name(tls_robot: Robot) -> None:
    assert post(ROBOT_HOSTS[0], tls_robot) == 200
    assert len(tls_robot.came) == 1


def test_certificate_of_another_name_or_of_nobody_is_refused(tls_robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        post(ROBOT_HOSTS[1], tls_robot)
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        post(ROBOT_HOSTS[0], tls_robot)
    assert tls_robot.came == []
