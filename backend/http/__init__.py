"""What every route shares: the blueprint with its mandatory guard, the request frame, errors, paging, OpenAPI."""

from backend.http.blueprint import Blueprint
from backend.http.context import Actor, Membership, RequestContext
from backend.http.guards import PUBLIC, Guard, requires, signed_in

__all__ = ["PUBLIC", "Actor", "Blueprint", "Guard", "Membership", "RequestContext", "requires", "signed_in"]
