"""The code that runs in the browser, static/ganscope/*.js: at an address that names its version.

The files import each other by relative addresses, so all of them come from one version, and a browser may keep them for
good: after an update it asks at another address. Streamlit's own static files, plotly.js among them, say nothing of how
long they may be kept.
"""

import hashlib
import os
import shutil
from functools import cache
from importlib.metadata import version
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from gan_core.foundations.files import package_folder
from pages.ui.server import addresses

STATIC = Path(__file__).resolve().parents[3] / "static"
FILES = {path.name: path for path in sorted((STATIC / "ganscope").glob("*.js"))}
# Below the address of Streamlit's static files, for a proxy that passes on those passes on these too.
PLACE = "app/static/code"
KEPT = {**addresses.HEADERS, "cache-control": "public, max-age=31536000, immutable"}


@cache
def code_version() -> str:
    """Of all the files together."""
    digest = hashlib.sha256()
    for name, path in FILES.items():
        digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


@cache
def plotly_version() -> str:
    """Puts plotly.js of the installed package among the static files, once; its version."""
    source = package_folder("plotly") / "package_data" / "plotly.min.js"
    target = STATIC / "plotly.min.js"
    if not target.exists() or target.stat().st_size != source.stat().st_size:
        temporary = target.with_suffix(f".{os.getpid()}.part")  # two servers may start at once
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    return version("plotly")


def main() -> str:
    """The address of what pages import, relative to GANscope's first page."""
    return f"{PLACE}/{code_version()}/main.js"


async def _code(request: Request) -> Response:
    """GET /app/static/code/VERSION/NAME: one of the files; of another version (an old page's) what there is now."""
    path = FILES.get(request.path_params["name"])
    if path is None:
        return Response("There is no such file.", 404, addresses.HEADERS, "text/plain")
    now = request.path_params["version"] == code_version()
    return FileResponse(path, headers=KEPT if now else addresses.HEADERS, media_type="text/javascript")


def routes() -> list[Route]:
    """Where the files are."""
    return [addresses.route(f"/{PLACE}/{{version}}/{{name}}", _code)]
