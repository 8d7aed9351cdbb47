"""Who may come in: the list, and closed doors where the sign-in is not whole. For real: test_browser_sign_in.py."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gan_core.runs.run_reading import Saved
from pages.ui.server import signing_in

DOOR = """
import streamlit as st
from pages.ui.server import signing_in
if signing_in.admitted():
    st.title("the page")
"""
AUTH = """[auth]
redirect_uri = "http://localhost:8501/oauth2callback"
cookie_secret = "a secret that is long enough"
client_id = "ganscope"
client_secret = "secret"
server_metadata_url = "http://127.0.0.1:1/.well-known/openid-configuration"
"""
ALICE = {"is_logged_in": True, "email": "Alice@Uni.example", "email_verified": True, "sub": "1"}


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Opens a page with these secrets, setting and account."""

    def opener(secrets: str | None, setting: str | None = None, user: dict | None = None) -> AppTest:
        path = tmp_path / "secrets.toml"
        if secrets is not None:
            path.write_text(secrets, "utf-8")
        option = st.get_option
        monkeypatch.setattr(st, "get_option", lambda name: [str(path)] if name == "secrets.files" else option(name))
        monkeypatch.setattr(st, "user", user or {})
        monkeypatch.delenv(signing_in.SETTING, raising=False)
        if setting is not None:
            monkeypatch.setenv(signing_in.SETTING, setting)
        return AppTest.from_string(DOOR, default_timeout=30).run()

    return opener


def is_in(app: AppTest) -> bool:
    assert not app.exception
    return bool(app.title) and app.title[0].value == "the page"


def test_without_a_sign_in_everybody_comes_in(opened):
    app = opened(None)
    assert is_in(app) and not app.button
    assert is_in(opened("[other]\nkey = 1")) and is_in(opened(None, "  "))


@pytest.mark.parametrize(
    "secrets, setting, reason",
    [
        (None, "@uni.example", "no secrets file has a section [auth]"),
        ("[other]\nkey = 1", "*", "no secrets file has a section [auth]"),
        ("[auth\nclient_id = ", None, "not valid TOML"),
        ("[auth\nclient_id = ", "@uni.example", "not valid TOML"),
        ("auth = 3", None, "must be a section"),
        (AUTH, None, "Say who may come in"),
        (AUTH.replace("client_secret", "#"), "*", "[auth] has no client_secret"),
        (AUTH.replace('"a secret that is long enough"', '""'), "*", "[auth] has no cookie_secret"),
        (AUTH + "[auth.google]\nclient_id = 'x'\n", "*", "[auth.google] has no client_secret, server_metadata_url"),
    ],
)
@pytest.mark.parametrize("user", [None, ALICE])
def test_a_sign_in_that_is_not_whole_lets_nobody_in(opened, secrets, setting, reason, user):
    app = opened(secrets, setting, user)
    assert not is_in(app) and reason in app.error[0].value and not app.button


@pytest.mark.parametrize("user", [{"is_logged_in": False}, {}])
def test_before_the_sign_in_there_is_nothing_else(opened, user):
    app = opened(AUTH, "*", user)
    assert not is_in(app) and [button.label for button in app.button] == ["Sign in"] and not app.slider
    named = AUTH + "".join(f"[auth.{name}]\n" + "\n".join(AUTH.splitlines()[3:]) + "\n" for name in ("uni", "school"))
    assert [button.label for button in opened(named, "*", user).button] == ["Sign in with uni", "Sign in with school"]


@pytest.mark.parametrize(
    "setting, account, may",
    [
        ("*", {"email": None}, True),
        ("@uni.example", {}, True),
        ("bob@mail.example, ALICE@uni.example", {}, True),
        ("@UNI.example", {"email_verified": "true"}, True),
        ("@uni.example", {"email_verified": False}, False),
        ("@uni.example", {"email_verified": "false"}, False),
        ("@example", {}, False),
        ("uni.example", {}, False),
        ("@uni.example", {"email": "alice@mail.uni.example"}, False),
        ("@uni.example", {"email": "alice@uni.example@evil.example"}, False),
        ("@uni.example", {"email": "alice@evil.example@uni.example"}, False),
        ("@uni.example", {"email": None}, False),
        ("bob@mail.example", {}, False),
    ],
)
def test_the_list(opened, setting, account, may):
    app = opened(AUTH, setting, {**ALICE, **account})
    assert is_in(app) == may
    assert [button.label for button in app.button][:1] == ["Sign out"]
    if not may:
        assert "may not use this server" in app.warning[0].value


def test_a_run_belongs_to_its_maker(monkeypatch):
    def run_of(owner: str) -> Saved:
        run = object.__new__(Saved)
        object.__setattr__(run, "owner", owner)
        return run

    monkeypatch.setattr(st, "user", ALICE)
    own = signing_in.owner()
    assert len(own) == 16 and "alice" not in own
    assert signing_in.may_change(run_of(own))
    assert not signing_in.may_change(run_of("")) and not signing_in.may_change(run_of("somebody's"))
    monkeypatch.setattr(st, "user", {**ALICE, "email": "bob@uni.example"})
    assert not signing_in.may_change(run_of(own))
    monkeypatch.setattr(st, "user", {})  # nobody signs in here
    assert signing_in.owner() == "" and signing_in.may_change(run_of(own))
