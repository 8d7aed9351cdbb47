"""Watching without Streamlit: one plain page beside the frames, drawn by the same static/ganscope/*.js.

A watcher needs no WebSocket and no session: a phone that has this page only asks for frames. Nothing on it is made of
what a visitor sends.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from gan_core.data.datasets import DATASETS
from pages.ui import shell
from pages.ui.frames.presentations import ABOUT, ENDED, SHOWS
from pages.ui.server import addresses, browser_code

# Streamlit's colours of both themes, by the names that the components read.
LOOK = """<style>
:root { color-scheme: light dark; --st-background-color: #ffffff; --st-text-color: #2f2d2b; --st-primary-color: #c75b00;
  --st-font: "Source Sans", system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --st-background-color: #171614; --st-text-color: #edebe8; --st-primary-color: #ff9e3d; } }
body { margin: 0; padding: 0.6rem 1.1rem; background: var(--st-background-color); color: var(--st-text-color); font-family: var(--st-font); }
body > header { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; align-items: baseline; }
body > header b { font-size: 1.1rem; }
body > footer { display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: center; margin-top: 0.8rem; }
body > footer a { color: inherit; border: 1px solid currentColor; border-radius: 0.5rem; padding: 0.35rem 0.8rem; text-decoration: none; white-space: nowrap; }
body > p { font-size: 1.1rem; }
</style>"""


def _document(body: str, status: int) -> HTMLResponse:
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><title>GANscope: watch</title>
<link rel="icon" href="../../app/static/icon.svg">
{shell.STYLE}{LOOK}</head><body class="stApp">
<header><b>GANscope</b></header>
{body}
</body></html>"""
    head = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return HTMLResponse(text, status, head)


async def _page(request: Request) -> HTMLResponse:
    """GET /ganscope/watch/TOKEN: the page that watches a presentation."""
    show = SHOWS.get(request.path_params["token"])
    if show is None:
        return _document(f"<p>{escape(ENDED)} Ask the presenter for a new link.</p>", 404)
    kind = DATASETS[show.run.config.data].kind
    body = f"""<main></main>
<footer><span>{ABOUT}</span>
<a href="../../watch?run={show.token}" title="Opens GANscope: go on from here with your own settings">Copy this run</a>
</footer>
<noscript><p>This page needs JavaScript.</p></noscript>
<script type="module">
const main = document.querySelector("main");
import("../../{browser_code.main()}")
  .then((plots) => plots.watchAlone(main, {{token: "{show.token}", kind: "{kind}"}}, "{browser_code.plotly_version()}"))
  .catch((error) => {{ main.textContent = `The page cannot be drawn: ${{error.message}}. Load it again.`; }});
</script>"""
    return _document(body, 200)


def routes() -> list[Route]:
    """Where the page is."""
    return [addresses.route("/ganscope/watch/{token}", _page)]
