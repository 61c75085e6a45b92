"""A fleet of simulated phones with faults, to be run against any server that speaks the protocol.

`run_fleet(FleetOptions(...))` plays days of field work and checks what the server made of it.
"""

from mobile_contract.conformance.checks import CheckResult
from mobile_contract.conformance.faults import ALL_FAULTS, Fault, parse_faults
from mobile_contract.conformance.fleet import Fleet, run_fleet
from mobile_contract.conformance.mirror import compare_communities
from mobile_contract.conformance.options import FleetOptions, Mirror
from mobile_contract.conformance.phone import Login
from mobile_contract.conformance.report import FleetReport

__all__ = [
    "ALL_FAULTS",
    "CheckResult",
    "Fault",
    "Fleet",
    "FleetOptions",
    "FleetReport",
    "Login",
    "Mirror",
    "compare_communities",
    "parse_faults",
    "run_fleet",
]
