"""The kit for vendors, at a command line.

    python3 -m mobile_contract.conformance --base-url http://127.0.0.1:8000 --user grid1 --password …
    python3 -m mobile_contract.conformance proxy --upstream http://127.0.0.1:8000 --port 8001 --swallow 0.1 --cut 0.1

The first checks a server for every promise that a phone relies on and ends with 0 (all kept), 1 (one broken) or 2 (it
could not begin). The second is a proxy that fails on purpose.
"""

import argparse
import getpass
import json
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.promises import CHECKS, Outcome, Promise, run_checks
from mobile_contract.conformance.promises.bench import Bench, Broken
from mobile_contract.conformance.proxy import Fate, FaultProxy, weather_of
from mobile_contract.conformance.wire import Unreachable

MARKS = {"pass": "pass", "fail": "FAIL", "skip": "skip"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the kit; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["proxy"] or "--proxy" in given:
        return _proxy([word for word in given if word not in ("proxy", "--proxy")])
    return _check(given)


def _check(given: Sequence[str]) -> int:
    options = _check_parser().parse_args(given)
    chosen = [one for one in CHECKS if not options.only or any(one.name.startswith(name) for name in options.only)]
    if options.list:
        for one in chosen:
            print(f"{one.name:24} {one.clause:10} {one.what}")
        return 0
    if not options.base_url or not options.user:
        print("name the server and who signs in: --base-url, --user", file=sys.stderr)
        return 2
    password = options.password if options.password is not None else getpass.getpass(f"Password of {options.user}: ")
    try:
        bench = Bench(options.base_url, Login(options.user, password, options.community), options.seed)
        bench.sign_in()
    except (Broken, Unreachable, ValueError) as why:
        print(f"The kit cannot begin: {why}", file=sys.stderr)
        return 2
    print(f"{options.base_url} as {options.user}: {len(chosen)} promises\n")
    outcomes = run_checks(bench, chosen, _tell)
    bench.wire.close()
    _sum_up(outcomes)
    if options.json:
        Path(options.json).write_text(
            json.dumps(report(options.base_url, outcomes), ensure_ascii=False, indent=1) + "\n"
        )
    return 1 if any(one.result == "fail" for one in outcomes) else 0


def report(base_url: str, outcomes: Sequence[Outcome]) -> dict[str, object]:
    """The outcomes as plain values."""
    return {
        "base_url": base_url,
        "passed": sum(one.result == "pass" for one in outcomes),
        "failed": sum(one.result == "fail" for one in outcomes),
        "skipped": sum(one.result == "skip" for one in outcomes),
        "checks": [
            {
                "name": one.promise.name,
                "clause": one.promise.clause,
                "promise": one.promise.what,
                "result": one.result,
                "why": one.why or None,
            }
            for one in outcomes
        ],
    }


def _tell(one: Outcome) -> None:
    promise: Promise = one.promise
    print(f"{MARKS[one.result]}  {promise.clause:10} {promise.name:24} {promise.what}", flush=True)
    if one.why:
        print(f"      {'→' if one.result == 'fail' else '·'} {one.why}", flush=True)


def _sum_up(outcomes: Sequence[Outcome]) -> None:
    failed = [one for one in outcomes if one.result == "fail"]
    skipped = sum(one.result == "skip" for one in outcomes)
    print(f"\n{len(outcomes) - len(failed) - skipped} kept, {len(failed)} broken, {skipped} not tried.")
    for one in failed:
        print(f"  PROTOCOL.md {one.promise.clause}: {one.promise.name}")


def _check_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m mobile_contract.conformance",
        description="Checks a server for every promise that a phone relies on. It writes records: use a community made "
        "for tests, and somebody of the field (a grid worker) who sees places with buildings. "
        "`proxy --help` tells of the proxy that fails on purpose.",
    )
    parser.add_argument("--base-url", help="where the server is, without /sync")
    parser.add_argument("--user", help="log-in name")
    parser.add_argument("--password", help="asked for when it is left out")
    parser.add_argument("--community", help="id of the community, for an account with several")
    parser.add_argument("--only", action="append", metavar="NAME", help="checks that begin so; may be repeated")
    parser.add_argument("--json", metavar="FILE", help="write the outcome there as well")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name the checks and do nothing")
    return parser


def _proxy(given: Sequence[str]) -> int:
    options = _proxy_parser().parse_args(given)
    try:
        weather = weather_of(vars(options))
    except ValueError as why:
        print(f"The proxy cannot begin: {why}", file=sys.stderr)
        return 2

    def tell(method: str, path: str, fate: Fate) -> None:
        print(f"{fate.value:10} {method} {path.partition('?')[0]}", flush=True)

    proxy = FaultProxy(options.upstream, weather, options.host, options.port, options.only or "", tell=tell)
    with proxy:
        print(f"{proxy.url} → {options.upstream}; end with Ctrl-C", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait(options.seconds)
    print(json.dumps(dict(sorted(proxy.counts.items()))), flush=True)
    return 0


def _proxy_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m mobile_contract.conformance proxy",
        description="Stands between a phone and a server and fails on purpose. Chances lie between 0 and 1.",
    )
    parser.add_argument("--upstream", required=True, help="the server, http or https")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--drop", type=float, help="close before the server hears of it")
    parser.add_argument("--cut", type=float, help="the server gets the first --cut-bytes of the body, then nothing")
    parser.add_argument("--swallow", type=float, help="the server does it, the phone gets no answer")
    parser.add_argument("--cut-answer", type=float, help="the phone gets the first --cut-bytes of the answer")
    parser.add_argument("--delay", type=float, help="wait --delay-ms before forwarding")
    parser.add_argument("--cut-bytes", type=int)
    parser.add_argument("--delay-ms", type=int)
    parser.add_argument("--only", help="a part of the paths that faults strike, for instance /sync/v1/push")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="end by itself after so long")
    return parser


if __name__ == "__main__":
    sys.exit(main())
