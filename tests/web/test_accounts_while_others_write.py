"""Making an account while the worker writes: on SQLite a reading transaction must not turn into a writing one."""

from __future__ import annotations

import pytest
from flask_security import hash_password

from bot.bootstrap import Application
from bot.web import accounts
from bot.web.app import create_app


def test_an_account_is_made_although_another_process_writes_meanwhile(
    app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    flask = create_app(app)

    def slow_hash(passphrase: str) -> str:
        with app.uow() as tx:
            tx.beat("worker", app.clock())
        return str(hash_password(passphrase))

    monkeypatch.setattr(accounts, "hash_password", slow_hash)
    with flask.app_context():
        flask.extensions["security"].datastore.find_user(email="nobody@example.com")
        assert accounts.new_user(flask, "rae@example.com", "plum blossom river", "Rae", ["patient"]) > 0
        with pytest.raises(ValueError, match="cannot be used"):
            accounts.new_user(flask, "rae@example.com", "plum blossom river", "Rae", ["patient"])
