"""GitLab's pages: `page`, `per_page` (at most 100), the X- headers and Link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, jsonify, request

from wardbook.sandbox.gitlab.refusals import bad_parameter
from wardbook.sandbox.house import house

Item = TypeVar("Item")
PAGE_CAP = 100
PAGE_SIZE = 20
TOTAL_CAP = 10_000


def page_number(name: str, default: int) -> int:
    """Return `page` or `per_page`.

    Raises:
        Refused: 400, not a number.
    """
    text = request.args.get(name, str(default))
    if not text.lstrip("-").isdigit():
        raise bad_parameter(f"{name} is invalid")
    return max(1, int(text))


def page_size() -> int:
    """Return how many items the wanted page has."""
    return min(page_number("per_page", PAGE_SIZE), PAGE_CAP)


def page_start() -> int:
    """Return how many items stand before the wanted page."""
    return (page_number("page", 1) - 1) * page_size()


def paginate(items: Sequence[Item], show: Callable[[Item], Any]) -> Response:
    """Answer one page of `items`, each as `show` makes it."""
    start = page_start()
    return answer_page([show(item) for item in items[start : start + page_size()]], len(items))


def answer_page(beans: list[Any], total: int) -> Response:
    """Answer with the beans of the wanted page; of over 10,000 items the total is not told."""
    size, number = page_size(), page_number("page", 1)
    last = max(1, -(-total // size))
    told = total <= TOTAL_CAP
    answer = jsonify(beans)
    following = number + 1 if number < last else None
    before = number - 1 if number > 1 else None
    answer.headers.update(
        {
            "X-Page": str(number),
            "X-Per-Page": str(size),
            **({"X-Total": str(total), "X-Total-Pages": str(last)} if told else {}),
            "X-Next-Page": str(following or ""),
            "X-Prev-Page": str(before or ""),
            "Link": ", ".join(
                f'<{address(target, size)}>; rel="{relation}"'
                for relation, target in (
                    ("prev", before), ("next", following), ("first", 1),
                    ("last", last if told else None),
                )
                if target
            ),
        }
    )  # fmt: skip
    return answer


def address(number: int, size: int) -> str:
    """Return the address of another page of this list."""
    arguments = [(n, v) for n, v in request.args.items(multi=True) if n not in ("page", "per_page")]
    path = request.environ.get("RAW_URI", request.path).partition("?")[0]
    query = urlencode([*arguments, ("page", number), ("per_page", size)])
    return f"{house().gitlab_url}{path}?{query}"
