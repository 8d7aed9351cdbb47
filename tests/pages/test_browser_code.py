"""The browser's code and its addresses: of one version, kept for good, and whole."""

import re

import httpx
from starlette.applications import Starlette

from pages.ui.server import browser_code
from tests.conftest import ROOT
from tests.support.asking import run_apart


def ask(*paths: str) -> list[httpx.Response]:
    """The answers of a server of these addresses alone."""

    async def asked():
        transport = httpx.ASGITransport(Starlette(routes=browser_code.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.get(f"/{path}") for path in paths]

    return run_apart(asked())


def test_a_version_is_kept_for_good_and_another_one_never():
    now = browser_code.main()
    kept, other, none = ask(now, now.replace(browser_code.code_version(), "0123456789ab"), now.replace("main", "none"))
    assert kept.status_code == other.status_code == 200 and kept.text == other.text
    assert kept.headers["content-type"].startswith("text/javascript")
    assert "immutable" in kept.headers["cache-control"] and other.headers["cache-control"] == "no-store"
    assert none.status_code == 404


def test_every_file_imports_files_that_there_are_and_is_imported():
    imported = {"main.js"}
    for name, path in browser_code.FILES.items():
        found = re.findall(r'from "\./([\w.]+)"', path.read_text("utf-8"))
        assert set(found) <= set(browser_code.FILES), name
        imported |= set(found)
    assert imported == set(browser_code.FILES)


def test_it_lies_where_a_proxy_that_knows_streamlit_s_files_passes_it_on():
    assert browser_code.main().startswith("app/static/")
    assert "/app/static/*" in (ROOT / "Caddyfile").read_text("utf-8")
