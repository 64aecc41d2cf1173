"""Which names of a notebook hold values that are written in it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

_CONTAINERS = frozenset({"set", "list", "tuple", "sorted", "frozenset", "dict", "str"})


class Written:
    """What the names of a notebook are given: by assignments, loops, defaults and calls.

    Args:
        trees: the cells' code.
    """

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self._given: dict[str, list[ast.expr]] = defaultdict(list)
        nodes = [node for tree in trees for node in ast.walk(tree)]
        functions = {one.name: one.args for one in nodes if isinstance(one, ast.FunctionDef)}
        for node in nodes:
            for name, value in _bindings(node):
                self._given[name].append(value)
            match node:
                case ast.Call(func=ast.Name(id=called), args=args, keywords=words) if (
                    called in functions
                ):
                    taken = functions[called]
                    for one in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs):
                        self._given[one.arg] += [*args, *(word.value for word in words)]

    def holds(self, node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:
        """Whether an expression's value is made of a text or a number that is written out."""
        match node:
            case ast.Constant(value=value):
                return isinstance(value, str | int) and value not in {"", 0, 1}
            case ast.Name(id=name) if name not in seen:
                return any(self.holds(one, seen | {name}) for one in self._given.get(name, ()))
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return any(self.holds(one, seen) for one in parts)
            case ast.Dict(keys=keys, values=values):
                return any(one is not None and self.holds(one, seen) for one in (*keys, *values))
            case ast.BinOp(left=left, right=right):
                return self.holds(left, seen) or self.holds(right, seen)
            case ast.IfExp(body=body, orelse=orelse):
                return self.holds(body, seen) or self.holds(orelse, seen)
            case ast.Starred(value=value) | ast.Subscript(value=value):
                return self.holds(value, seen)
            case ast.Call(func=ast.Name(id=called), args=args) if called in _CONTAINERS:
                return any(self.holds(one, seen) for one in args)
            case ast.Call(func=ast.Attribute(value=value)):
                return self.holds(value, seen)
        return False


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _named(target, value)
        case (
            ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.For(target=target, iter=value)
        ):
            yield from _named(target, value)
        case ast.NamedExpr(target=target, value=value):
            yield from _named(target, value)
        case ast.comprehension(target=target, iter=value):
            yield from _named(target, value)
        case ast.arguments(args=args, defaults=defaults, kwonlyargs=only, kw_defaults=others):
            last = args[len(args) - len(defaults) :]
            yield from ((one.arg, value) for one, value in zip(last, defaults, strict=True))
            for one, default in zip(only, others, strict=True):
                if default is not None:
                    yield one.arg, default


def _named(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, value
