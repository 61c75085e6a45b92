"""The forms of a folder: one immutable YAML file a version, named `<code>.v<version>.yaml`."""

from functools import cache
from pathlib import Path

from mobile_contract.forms.definition import DefinitionInvalid, Form
from mobile_contract.forms.document import parse_form
from mobile_contract.forms.strict_yaml import YamlInvalid, read_yaml

SHIPPED = Path(__file__).parent
HEADER = "header"


class FormUnknown(LookupError):
    """No such form version in the catalogue."""


def load_form(path: Path) -> Form:
    """Reads one form file. Raises DefinitionInvalid naming the file and every fault."""
    try:
        form = parse_form(read_yaml(path), path.name)
    except YamlInvalid as error:
        raise DefinitionInvalid(path.name, [str(error)]) from error
    expected = f"{form.code}.v{form.version}.yaml"
    if path.name != expected:
        raise DefinitionInvalid(path.name, [f"the file of this form must be named {expected}"])
    return form


@cache
def load_forms(folder: Path = SHIPPED) -> dict[tuple[str, int], Form]:
    """All forms of a folder by (code, version), header included; read once per process."""
    forms = (load_form(path) for path in sorted(folder.glob("*.v*.yaml")))
    return {(form.code, form.version): form for form in forms}


def list_forms(folder: Path = SHIPPED) -> list[Form]:
    """Every form version that can be filled in (the common header is not one), by code and version."""
    return [form for (code, _), form in sorted(load_forms(folder).items()) if code != HEADER]


def get_form(code: str, version: int, folder: Path = SHIPPED) -> Form:
    """One form version, always the same object. Raises FormUnknown."""
    try:
        return load_forms(folder)[code, version]
    except KeyError:
        raise FormUnknown(f"no form {code} version {version}") from None


def header_form(version: int = 1) -> Form:
    """The header common to all forms: who visited what, when, and how it ended. Same model as a form."""
    return get_form(HEADER, version)
