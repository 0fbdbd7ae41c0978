"""The expressions that choose rows of a table, such as `accuracy > 0.9 and state == "complete"`.

They are read as Python, but nothing in them is run: only columns, numbers, texts, comparisons (also chained),
`in`, `is None`, `and`, `or` and `not` are understood. A comparison with null is never true, nor is its `not`.
"""

import ast
import difflib
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any, Never

import pyarrow as pa
import pyarrow.compute as pc

from service.errors import Fault, UserError

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def parse_where(text: str, schema: pa.Schema) -> pc.Expression:
    """The expression `text` over the columns of `schema`, for `pyarrow`'s filters.

    Raises UserError, naming what is not understood and the cure.

    >>> str(parse_where("0.9 < accuracy and state in ('complete', 'pruned')", pa.schema(
    ...     {"accuracy": pa.float64(), "state": pa.string()})))
    '((0.9 < accuracy) and ((state == "complete") or (state == "pruned")))'
    """
    try:
        return _Reader(text, schema).condition(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError as error:
        _refuse(text, f'{error.msg}; write it like `accuracy > 0.9 and state == "complete"`')
    except (ValueError, RecursionError, MemoryError):
        _refuse(text, "can't be read; write it like `accuracy > 0.9`, and not too deeply nested")


def _refuse(text: str, message: str) -> Never:
    raise UserError([Fault("--where", text, message)])


class _Reader:
    def __init__(self, text: str, schema: pa.Schema) -> None:
        self.text = text
        self.schema = schema

    def condition(self, node: ast.expr) -> pc.Expression:
        match node:
            case ast.BoolOp(op=op, values=values):
                return reduce(
                    operator.and_ if isinstance(op, ast.And) else operator.or_, map(self.condition, values)
                )
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.condition(operand)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                pairs = zip([left, *rights], ops, rights, strict=False)
                return reduce(operator.and_, [self.comparison(*pair) for pair in pairs])
            case ast.Name() if pa.types.is_boolean(self.column(node).type):
                return pc.field(node.id)
        self.refuse(node, "is no condition; compare a column, as in `accuracy > 0.9`")

    def comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> pc.Expression:
        if isinstance(op, ast.Is | ast.IsNot):
            if not (isinstance(left, ast.Name) and isinstance(right, ast.Constant) and right.value is None):
                self.refuse(
                    right, "can't stand here; `is` goes with a column and None, for all else use `==`"
                )
            column = pc.field(self.column(left).name)
            return column.is_null() if isinstance(op, ast.Is) else column.is_valid()
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
                self.refuse(right, "is no list of values; write it like `trial in [1, 2]`")
            found = reduce(operator.or_, [self.comparison(left, ast.Eq(), value) for value in right.elts])
            return found if isinstance(op, ast.In) else ~found
        kinds = {self.kind(left), self.kind(right)}
        if len(kinds) > 1:
            self.refuse(right, f"can't be compared with `{ast.unparse(left)}`: {' and '.join(sorted(kinds))}")
        return _COMPARISONS[type(op)](self.operand(left), self.operand(right))

    def operand(self, node: ast.expr) -> pc.Expression:
        return pc.field(node.id) if isinstance(node, ast.Name) else pc.scalar(self.constant(node))

    def kind(self, node: ast.expr) -> str:
        """What the values of an operand are, in words."""
        if not isinstance(node, ast.Name):
            value = self.constant(node)
            return {bool: "true or false", str: "text"}.get(type(value), "number")
        kind = self.column(node).type
        if pa.types.is_boolean(kind):
            return "true or false"
        if pa.types.is_string(kind):
            return "text"
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            return "number"
        self.refuse(node, "holds lists; only `is None` and `is not None` can be asked of it")

    def column(self, node: ast.Name) -> pa.Field:
        if node.id in self.schema.names:
            return self.schema.field(node.id)
        near = difflib.get_close_matches(node.id, self.schema.names, n=1)
        quoted = f'if it is a text, quote it: "{node.id}"; columns are {", ".join(self.schema.names)}'
        cure = f"did you mean `{near[0]}`?" if near else quoted
        self.refuse(node, f"is no column; {cure}")

    def constant(self, node: ast.expr) -> float | str:
        match node:
            case ast.Constant(value=bool() | float() | str() as value):
                return value
            case ast.Constant(value=int(value)):
                return value if abs(value) < 2**53 else float(value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value) | float(value))):
                return -value
            case ast.Constant(value=None):
                self.refuse(node, "can't be compared; write `is None` or `is not None`")
        self.refuse(node, "is neither a column nor a number nor a text in quotes")

    def refuse(self, node: ast.expr, message: str) -> Never:
        _refuse(self.text, f"`{ast.unparse(node)}` {message}")
