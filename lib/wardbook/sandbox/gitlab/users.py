"""Routes of users, their GPG keys and their to-do list."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from wardbook.sandbox.gitlab.access import asker
from wardbook.sandbox.gitlab.arguments import is_true
from wardbook.sandbox.gitlab.beans import user_bean
from wardbook.sandbox.gitlab.paging import paginate
from wardbook.sandbox.gitlab.refusals import bad_parameter, invalid, not_found
from wardbook.sandbox.house import instant, json_body, records
from wardbook.sandbox.store import Body

routes = Blueprint("users", __name__, url_prefix="/api/v4")
KEY_BEGIN, KEY_END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"


@routes.get("/user")
def read_self() -> Response:
    """Return the asking account."""
    me = asker()
    return jsonify(
        {
            **(user_bean(me["id"]) or {}),
            "created_at": me["created_at"],
            "email": me["email"],
            "public_email": me["email"],
            "commit_email": me["email"],
            "bio": "",
            "bot": False,
            "external": False,
            "is_admin": False,
            "can_create_project": False,
            "two_factor_enabled": False,
            "identities": [],
            "locked": False,
        }
    )


@routes.get("/users")
def list_users() -> Response:
    """Return the users, by exact `username` or by `search`."""
    asker()
    accounts = records().all("account")
    username = request.args.get("username")
    if username is not None:
        accounts = [a for a in accounts if a["username"].lower() == username.lower()]
    for flag, wanted in (("active", True), ("blocked", False)):
        if is_true(request.args.get(flag, "")):
            accounts = [a for a in accounts if a.get("active", True) is wanted]
    text = request.args.get("search", "").lower()
    if text:
        accounts = [
            a for a in accounts if text in a["name"].lower() or text in a["username"].lower()
            or text == a["email"].lower()
        ]  # fmt: skip
    return paginate(accounts, lambda account: user_bean(account["id"]))


def find_user(user: int) -> Body:
    """Return an account.

    Raises:
        Refused: 404.
    """
    account = records().get("account", user)
    if account is None:
        raise not_found("User")
    return account


@routes.get("/users/<int:user>")
def read(user: int) -> Response:
    """Return a user."""
    account = find_user(user)
    return jsonify({**(user_bean(user) or {}), "created_at": account["created_at"], "bot": False})


def key_bean(key: Body) -> Body:
    """Return a GPG key."""
    return {"id": key["id"], "key": key["key"], "created_at": key["created_at"]}


@routes.get("/users/<int:user>/gpg_keys")
def list_keys(user: int) -> Response:
    """Return a user's public keys; anybody may read them."""
    return paginate(records().all("gitlab.gpg_key", find_user(user)["id"]), key_bean)


@routes.get("/users/<int:user>/gpg_keys/<int:key>")
def read_key(user: int, key: int) -> Response:
    """Return one public key."""
    return jsonify(key_bean(find_key(find_user(user)["id"], key)))


@routes.get("/user/gpg_keys")
def list_own_keys() -> Response:
    """Return the asking account's public keys."""
    return paginate(records().all("gitlab.gpg_key", asker()["id"]), key_bean)


@routes.post("/user/gpg_keys")
def add_own_key() -> tuple[Response, int]:
    """Add a public key to the asking account."""
    return add_key(asker()["id"])


@routes.post("/users/<int:user>/gpg_keys")
def add_user_key(user: int) -> tuple[Response, int]:
    """Add a public key to a user; GitLab lets administrators do so, here everybody may."""
    return add_key(find_user(user)["id"])


def add_key(user: int) -> tuple[Response, int]:
    """Store an armoured public key."""
    key = json_body().get("key")
    if key is None:
        raise bad_parameter("key is missing")
    key = str(key).strip()
    if not (key.startswith(KEY_BEGIN) and key.endswith(KEY_END)):
        raise invalid(
            key=[f"is invalid. A valid public GPG key begins with '{KEY_BEGIN}' "
                 f"and ends with '{KEY_END}'"]
        )  # fmt: skip
    if any(known["key"] == key for known in records().all("gitlab.gpg_key")):
        raise invalid(fingerprint=["has already been taken"])
    body = records().insert("gitlab.gpg_key", {"key": key, "created_at": instant()}, owner=user)
    return jsonify(key_bean(body)), 201


def find_key(user: int, key: int) -> Body:
    """Return one key of a user.

    Raises:
        Refused: 404.
    """
    for body in records().all("gitlab.gpg_key", user):
        if body["id"] == key:
            return body
    raise not_found("GPG Key")


@routes.delete("/user/gpg_keys/<int:key>")
def delete_own_key(key: int) -> tuple[str, int]:
    """Delete one of the asking account's keys."""
    records().delete("gitlab.gpg_key", find_key(asker()["id"], key)["id"])
    return "", 204


@routes.get("/todos")
def list_todos() -> Response:
    """Return what waits for the asking account: mentions."""
    return paginate(records().all("gitlab.todo", asker()["id"]), lambda todo: todo)
