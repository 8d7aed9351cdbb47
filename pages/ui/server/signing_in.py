"""Who may come in: everybody, or with Streamlit's OpenID sign-in those on a list.

Closed where a sign-in is wanted and not whole: a file that cannot be read lets nobody in.
"""

import hashlib
import os
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import streamlit as st

from gan_core.runs.run_reading import Saved
from pages.ui.components.liveplot import sign_in_way

SETTING = "GANSCOPE_SIGN_IN"  # addresses, or domains behind an @; * for every account of the provider
EXAMPLE = f'{SETTING}="@uni.example alice@mail.example"'
SHARED = ("redirect_uri", "cookie_secret")
OWN = ("client_id", "client_secret", "server_metadata_url")


def admitted() -> bool:
    """Draws who is signed in, or the sign-in and what is wrong with it; returns whether the page may be drawn."""
    wanted = os.environ.get(SETTING, "").strip()
    auth, problem = _secrets()
    if not (wanted or auth or problem):
        return True
    problem = problem or _problem(auth, wanted)
    if problem:
        st.title("GANscope")
        st.error(f"Nobody can sign in: this server's sign-in is not set up completely. {problem}")
        return False
    if not st.user.get("is_logged_in", False):
        _sign_in(auth)
        return False
    if not _is_on(wanted, st.user):
        st.title("GANscope")
        st.warning(f"You are signed in as **{_shown()}**, but this account may not use this server.")
        st.button("Sign out", key="sign_out", on_click=st.logout, help="Then sign in with another account.")
        return False
    sign_in_way("back")
    with st.container(key="account"), st.popover("", icon=":material/account_circle:", help=f"Signed in: {_shown()}"):
        st.markdown(f"Signed in as **{_shown()}**")
        st.button("Sign out", key="sign_out", on_click=st.logout)
    return True


def is_open() -> bool:
    """Whether nobody has to sign in, and nothing asks for it."""
    auth, problem = _secrets()
    return not (os.environ.get(SETTING, "").strip() or auth or problem)


def owner() -> str:
    """The visitor's account, as a hash; "" where nobody signs in."""
    if not st.user.get("is_logged_in", False):
        return ""
    return hashlib.sha256(f"account {_account(st.user)}".encode()).hexdigest()[:16]


def may_change(run: Saved) -> bool:
    """Whether the visitor may rename or delete it: with a sign-in a run belongs to its maker."""
    return not owner() or run.owner == owner()


def _sign_in(auth: dict[str, Any]) -> None:
    st.title("GANscope")
    st.markdown("Sign in to use GANscope.")
    early = not sign_in_way("there")  # a click now would lose the link
    named = _named(auth)
    if not named:
        st.button("Sign in", key="sign_in", on_click=st.login, type="primary", disabled=early)
    for name in named:
        label, key = f"Sign in with {name}", f"sign_in_{name}"
        st.button(label, key=key, on_click=st.login, args=(name,), type="primary", disabled=early)


def _secrets() -> tuple[dict[str, Any], str]:
    """(the section [auth] of the secrets files, what is wrong with these files).

    Read here too, for Streamlit takes a file that cannot be read for one that is not there.
    """
    auth: dict[str, Any] = {}
    for path in map(Path, st.get_option("secrets.files")):
        try:
            found = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
        except (OSError, ValueError):  # a TOML error is one
            return {}, f"{path.name} cannot be read or is not valid TOML."
        section = found.get("auth", {})
        if not isinstance(section, dict):
            return {}, f"In {path.name}, auth must be a section: [auth]."
        auth |= section
    return auth, ""


def _named(auth: dict[str, Any]) -> list[str]:
    """The providers that have a section of their own, such as [auth.google]."""
    return [name for name, section in auth.items() if isinstance(section, dict) and name != "client_kwargs"]


def _problem(auth: dict[str, Any], wanted: str) -> str:
    if not auth:
        return f"{SETTING} asks for a sign-in, but no secrets file has a section [auth]."
    sections = {f"[auth.{name}]": auth[name] for name in _named(auth)} or {"[auth]": auth}
    for where, section, names in [("[auth]", auth, SHARED), *((w, s, OWN) for w, s in sections.items())]:
        missing = [name for name in names if not isinstance(section.get(name), str) or not section[name]]
        if missing:
            return f"In the secrets file, {where} has no {', '.join(missing)}."
    if find_spec("authlib") is None:
        return 'Install what it needs: pip install "streamlit[auth]".'
    if not wanted:
        return f"Say who may come in, for example {EXAMPLE}; {SETTING}=* admits every account of the provider."
    return ""


def _is_on(wanted: str, user: Any) -> bool:
    """Whether the account is on the list; an address that its provider has not verified is nobody's."""
    names = wanted.lower().replace(",", " ").split()
    if "*" in names:
        return True
    address = str(user.get("email") or "").lower()
    if address.count("@") != 1 or user.get("email_verified", True) not in (True, "true"):
        return False
    return address in names or f"@{address.partition('@')[2]}" in names


def _account(user: Any) -> str:
    return str(user.get("email") or f"{user.get('iss')} {user.get('sub')}").lower()


def _shown() -> str:
    """The account's address or name, as Markdown that shows it as it is."""
    text = str(st.user.get("email") or st.user.get("name") or "an account without a name")[:100]
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+-!|~$:" else c for c in text)
