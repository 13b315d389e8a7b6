"""The conditions that authored content may state, such as `value >= 7 and presence is null`.

A tiny, closed language read with Python's own parser and evaluated here, never by `eval`. A bare word that names no
variable stands for itself, so that `value == dying` reads as written. A comparison with nothing is false.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

_PHRASES = (
    (re.compile(r"^\s*otherwise\s*$"), "True"),
    (re.compile(r"\bopen step exists\b"), "open_step"),
    (re.compile(r"\b(last_part|intention) exists\b"), r"\1"),
    (re.compile(r"\btext not empty\b"), "text"),
    (re.compile(r"\b(\w+) not selected\b"), r"('\1' not in value)"),
    (re.compile(r"\bwithin 24 h\b"), "within_24h"),
    (re.compile(r"\bis null\b"), "is None"),
    (re.compile(r"\bnull\b"), "None"),
    (re.compile(r"\btrue\b"), "True"),
    (re.compile(r"\bfalse\b"), "False"),
)
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(ValueError):
    """A condition in the content uses something outside the language. Raised when content is loaded."""


class Expression:
    """One condition, checked when made. Call it with the variables in scope."""

    def __init__(self, source: str) -> None:
        self.source = source
        text = source
        for pattern, plain in _PHRASES:
            text = pattern.sub(plain, text)
        try:
            self._tree = ast.parse(text, mode="eval").body
        except SyntaxError as error:
            raise ExpressionError(f"cannot read the condition {source!r}") from error
        for node in ast.walk(self._tree):
            if not isinstance(node, _ALLOWED):
                raise ExpressionError(f"{type(node).__name__} is not allowed in the condition {source!r}")

    def __call__(self, variables: Mapping[str, Any]) -> bool:
        return bool(_evaluate(self._tree, variables))

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


_ALLOWED = (
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.Compare,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.List,
    ast.BinOp,
    ast.Add,
    ast.Attribute,
    ast.Eq,
    ast.NotEq,
    ast.Is,
    ast.IsNot,
    ast.In,
    ast.NotIn,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
)


def _evaluate(node: ast.expr, variables: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return variables.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return variables.get(ast.unparse(node))
    if isinstance(node, ast.List):
        return [_evaluate(item, variables) for item in node.elts]
    if isinstance(node, ast.UnaryOp):
        return not _evaluate(node.operand, variables)
    if isinstance(node, ast.BoolOp):
        results = (_evaluate(value, variables) for value in node.values)
        return all(results) if isinstance(node.op, ast.And) else any(results)
    if isinstance(node, ast.BinOp):
        left, right = _evaluate(node.left, variables), _evaluate(node.right, variables)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Compare):
        return _compare(node, variables)
    raise ExpressionError(type(node).__name__)


def _compare(node: ast.Compare, variables: Mapping[str, Any]) -> bool:
    left = _evaluate(node.left, variables)
    for op, comparator in zip(node.ops, node.comparators):
        right = _evaluate(comparator, variables)
        if not _holds(op, left, right):
            return False
        left = right
    return True


def _holds(op: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(op, (ast.Eq, ast.Is)):
        return bool(left == right)
    if isinstance(op, (ast.NotEq, ast.IsNot)):
        return bool(left != right)
    if isinstance(op, (ast.In, ast.NotIn)):
        return (left in (right or ())) is isinstance(op, ast.In)
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return False
    return _ORDER[type(op)](left, right)
