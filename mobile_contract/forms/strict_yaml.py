"""YAML as form and rule files use it: no duplicate keys, and only `true`/`false` are booleans.

YAML 1.1 reads `yes`, `no`, `on` and `off` as booleans. `yes` and `no` are answer codes here, so a file that
writes one unquoted must get the text it shows.
"""

import re
from pathlib import Path
from typing import Any

import yaml


class YamlInvalid(ValueError):
    """A file is not readable as strict YAML; the message names file, line and reason."""


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without the YAML 1.1 booleans, dates, octals and duplicate keys."""


_StrictLoader.yaml_implicit_resolvers = {}


_PLAIN = (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", "n~\0"),
    ("tag:yaml.org,2002:int", r"^-?(?:0|[1-9][0-9]*)$", "-0123456789"),
    ("tag:yaml.org,2002:float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", "-0123456789"),
)
for _tag, _pattern, _first in _PLAIN:
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first) + ([""] if "\0" in _first else []))


def _unique_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key!r}", key_node.start_mark)
        seen.add(key)
    return dict(loader.construct_mapping(node, deep=True))


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def read_yaml(path: Path) -> Any:
    """Returns the document in `path`. Raises YamlInvalid with file and line."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise YamlInvalid(f"{path.name}: {error}") from error
