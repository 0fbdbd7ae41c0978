"""YAML 1.2 as plain data that knows the line each value stands on, and plain data as YAML.

Only what a sweep file needs: mappings with text keys, lists, text, numbers, true, false and null.
"""

import json
import warnings
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from model.fields import show
from service.config.faults import ConfigFault, Where

MAX_DEPTH = 20
MAX_INTEGER = 2**63 - 1  # what the tables and the study can hold

_TAG = "tag:yaml.org,2002:"
_NOTHING: Any = object()  # what is left of a value that cannot be kept; None is YAML's null


class Unreadable(Exception):
    """The text cannot be read at all; with the line of the fault."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class Parsed:
    """What a YAML text says. Raises Unreadable if it is not a single YAML document.

    >>> text = Parsed("learner:\\n  wiring_cost: 1e-5")
    >>> text.data, text.lines[("learner", "wiring_cost")]
    ({'learner': {'wiring_cost': 1e-05}}, 2)
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[Where, int] = {}
        """The line of each key and list item, counted from 1."""
        self.faults: list[ConfigFault] = []
        """Faults that leave the rest readable; what they are about is left out of `data`."""
        self._loader = YAML(typ="safe", pure=True)
        self._loader.max_depth = MAX_DEPTH
        self._anchored: set[int] = set()
        node = _compose(self._loader, text)
        plain = None if node is None else self._plain(node, ())
        self.data: Any = None if plain is _NOTHING else plain

    def _plain(self, node: Node, where: Where) -> Any:
        if id(node) in self._anchored:
            return self._fault(where, "repeats an earlier value by `*`; write the value out")
        if node.anchor is not None:
            self._anchored.add(id(node))
            self._fault(where, f"has the anchor `&{node.anchor}`; leave it out and write values out")
        if isinstance(node, MappingNode) and node.tag == _TAG + "map":
            return self._mapping(node, where)
        if isinstance(node, SequenceNode) and node.tag == _TAG + "seq":
            return self._list(node, where)
        if isinstance(node, ScalarNode):
            return self._scalar(node, where)
        return self._fault(where, f"has the tag `{node.tag}`; leave it out")

    def _mapping(self, node: MappingNode, where: Where) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or key_node.tag != _TAG + "str":
                self._fault(where, "a key is not text; put it in quotes, or write merged keys out", line)
                continue
            here = (*where, key_node.value)
            if here in self.lines:
                fault = f"is given twice, first on line {self.lines[here]}; keep one"
                self._fault(here, fault, line)
                continue
            self.lines[here] = line
            value = self._plain(value_node, here)
            if value is not _NOTHING:
                items[key_node.value] = value
        return items

    def _list(self, node: SequenceNode, where: Where) -> list[Any]:
        items: list[Any] = []
        for child in node.value:
            here = (*where, len(items))
            self.lines[here] = child.start_mark.line + 1
            value = self._plain(child, here)
            items += [] if value is _NOTHING else [value]
        return items

    def _scalar(self, node: ScalarNode, where: Where) -> Any:
        kind = str(node.tag).removeprefix(_TAG)
        construct = self._loader.constructor
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return bool(construct.construct_yaml_bool(node))
            if kind == "float":
                return float(construct.construct_yaml_float(node))
            if kind == "int":
                number = int(construct.construct_yaml_int(node))
                if abs(number) > MAX_INTEGER:
                    raise ValueError(node.value)
                return number
        except (ValueError, KeyError, IndexError):
            return self._fault(where, f"{show(node.value)} is not a number or flag that can be used here")
        if kind in ("str", "timestamp", "merge", "value"):  # `2026-01-01` is a fine name
            return str(node.value)
        return self._fault(where, f"has the tag `{node.tag}`; leave it out")

    def _fault(self, where: Where, message: str, line: int | None = None) -> Any:
        self.faults.append(ConfigFault(where, message, line))
        return _NOTHING


def _compose(loader: YAML, text: str) -> Node | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about anchors given twice, which are faults here anyway
            node: Node | None = loader.compose(text)
            return node
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise Unreadable(line, _in_words(error)) from None
    except Exception as error:  # on garbage ruamel also raises what is not a YAMLError, such as KeyError
        position = getattr(error, "position", 0)
        reason = getattr(error, "reason", "it cannot be understood")
        raise Unreadable(text.count("\n", 0, position) + 1, f"is not YAML 1.2: {reason}") from None


def _in_words(error: MarkedYAMLError) -> str:
    problem = f"{error.problem}"
    if "maximum depth" in problem:
        return f"is nested more than {MAX_DEPTH} deep; a sweep file needs 5 levels"
    if "'\\t'" in problem:
        return "has a tab where YAML wants spaces; indent by spaces"
    if "another document" in problem:
        return "holds a second document after `---`; write one sweep a file"
    return "is not YAML 1.2: " + ", ".join(part for part in (error.context, problem) if part)


def write(tree: Mapping[str, Any]) -> str:
    """The text of a mapping with plain keys: its first two levels a line each, what is deeper in braces.

    `Parsed` reads it back; ruamel.yaml's own writer folds some texts so that it cannot.

    >>> print(write({"name": "a", "learner": {"dt": 1.0}, "objectives": [{"goal": "max"}]}), end="")
    name: "a"
    learner:
      dt: 1.0
    objectives:
      - {goal: "max"}
    """
    lines: list[str] = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            lines += [f"{key}:", *(f"  {name}: {_inline(inside)}" for name, inside in value.items())]
        elif isinstance(value, list) and value:
            lines += [f"{key}:", *(f"  - {_inline(item)}" for item in value)]
        else:
            lines.append(f"{key}: {_inline(value)}")
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_inline(inside)}" for key, inside in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    text = json.dumps(value, ensure_ascii=False)  # JSON's scalars are YAML's, but for characters such as DEL
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
