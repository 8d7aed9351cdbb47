"""The components: one redraws a figure in place, one looks back in time, one is drawn on, one knows the tab's key.

The code that runs in the browser is static/ganscope/*.js. Streamlit sends a component's own script with every
frame, so that script only imports the code, by URL, from this server (pages/ui/server/browser_code.py): no CDN.
"""

import json
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import streamlit as st
import streamlit.components.v2 as v2

from pages.ui.server import browser_code

_TYPES = {"float32": "f4", "int32": "i4", "uint8": "u1"}


def pack(figure: dict[str, Any]) -> bytes:
    """A figure (dicts, lists, numbers, texts, NumPy arrays of 1 or 2 dimensions) as one buffer.

    Layout: uint32 length of the JSON, the JSON padded to a multiple of 4, the arrays' bytes. float64 and
    int64 arrays travel as 32 bits.
    """
    blobs: list[bytes] = []
    size = 0

    def encode(value: Any) -> Any:
        nonlocal size
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{type(value).__name__} cannot be packed")
        if value.dtype.kind == "f":
            value = value.astype(np.float32, copy=False)
        elif value.dtype != np.uint8:
            value = value.astype(np.int32, copy=False)
        blob = value.tobytes()
        reference: dict[str, Any] = {"$": [size, value.size, _TYPES[value.dtype.name]]}
        if value.ndim == 2:
            reference["rows"] = value.shape[0]
        padding = -len(blob) % 4
        blobs.append(blob + b"\0" * padding)
        size += len(blob) + padding
        return reference

    head = json.dumps(figure, default=encode, allow_nan=False, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 4)
    return struct.pack("<I", len(head)) + head + b"".join(blobs)


@cache
def _components():
    plotly_version = browser_code.plotly_version()
    head = f'const m=import(new URL("{browser_code.main()}",document.baseURI).href);\n'

    def component(name: str, call: str, remove: str = ""):
        clean = f"return ()=>m.then(x=>x.{remove}(c))" if remove else ""
        body = f'export default c=>{{m.then(x=>x.{call}({{...c,version:"{plotly_version}"}}));{clean}}}'
        return v2.component(name, js=head + body, isolate_styles=False)

    live = component("ganscope_plot", "plot", "removePlot")
    tab = component("ganscope_tab", "tab")
    scrub = component("ganscope_scrubber", "scrub", "removeScrubber")
    deliver = component("ganscope_deliver", "deliver")
    watch = component("ganscope_watch", "watch", "removeWatch")
    text = component("ganscope_text", "text")
    live_feed = component("ganscope_feed", "feed", "removeFeed")
    notices = component("ganscope_notices", "notices")
    way = component("ganscope_sign_in_way", "signInWay")
    anatomy = component("ganscope_anatomy", "anatomy", "removeAnatomy")
    drawing = component("ganscope_drawing", "drawing", "removeDrawing")
    return live, tab, scrub, deliver, watch, text, live_feed, notices, way, anatomy, drawing


def live_plot(figure: dict[str, Any], key: str, on_click: Callable[[], None] | None = None) -> None:
    """Draws `figure` (`data`, `layout` with a fixed height) in place of the last one under `key`.

    Its `place`, if it has one, is that of `Feed.look`: older figures than the drawn one are passed over.

    on_click: called after a click on a point, `clicked(key)` says which.
    """
    listen: dict[str, Any] = {} if on_click is None else {"on_clicked_change": on_click}
    _components()[0](data=pack(figure), key=key, height="content", **listen)


def live_anatomy(figure: dict[str, Any], key: str) -> None:
    """Draws the parts of a training step (pages/ui/figures/anatomy_figure.py), in place as `live_plot` does."""
    _components()[9](data=pack(figure), key=key, height="content")


def drawing_plane(about: dict[str, Any], key: str, on_use: Callable[[], None]) -> None:
    """The plane to draw a data set on; about: what `show` takes (static/ganscope/drawing.js).

    on_use: called after a click on Use this drawing; `drawn(key)` says what was drawn.
    """
    _components()[10](data=pack(about), key=key, on_use_change=on_use, height="content")


def drawn(key: str) -> list[tuple[str, float, float, np.ndarray]] | None:
    """The strokes that were drawn on the plane under `key`: (tool, width, density, places [M, 2]) each.

    None where nothing was, or what the browser sent is none.
    """
    said = (st.session_state.get(key) or {}).get("use")
    if not isinstance(said, dict):
        return None
    try:
        strokes = [(str(t), float(w), float(d), np.array(p, float).reshape(-1, 2)) for t, w, d, p in said["strokes"]]
    except (TypeError, ValueError, KeyError, OverflowError):
        return None
    return strokes if all(len(p) and np.isfinite([w, d, *p.ravel()]).all() for _, w, d, p in strokes) else None


def live_text(html: str, key: str, place: list[Any]) -> None:
    """HTML that `live_feed` keeps fresh; html: of our own words and escaped ones. place: of `Feed.look`."""
    _components()[5](data={"html": html, "place": place}, key=f"text_{key}", height="content")


def live_feed(token: str, wait: int, place: list[Any], look_at: Callable[[int | None, str], None]) -> None:
    """Keeps the page's plots and texts fresh from the feed of this token, without a script, as often as it says.

    Where its frames fit no more what the script drew, it has the script draw once more. wait: milliseconds until the
    next frame, 0 where none is to be expected. place: of `Feed.look`, so that each drawing is another: the browser may
    have found meanwhile that nothing moved, and Streamlit passes over what is the same. look_at: called with the step
    of the past that the scrubber wants, and what it counts in, where no request for a frame comes through.
    """

    def outdated() -> None:
        wish = _wish("live_feed", "outdated")
        if wish is not None:
            look_at(wish["at"], wish["of"])

    data = {"token": token, "wait": wait, "place": place}
    _components()[6](data=data, key="live_feed", on_outdated_change=outdated, height="content")


def clicked(key: str) -> int | None:
    """The number of the point of the plot under `key` that was clicked last."""
    said = (st.session_state.get(key) or {}).get("clicked")  # [the place, how many clicks]
    place = said[0] if isinstance(said, list) and said else None
    return place if type(place) is int and place >= 0 else None


def tab_key(renew: str, attempt: int) -> tuple[str, str, int, str, bool] | None:
    """(the key of this browser tab, the browser's, the attempt that it answers, the address at which GANscope begins,
    with a slash at its end, whether the browser knows that no other page has the key); None until the browser has
    said it.

    A browser that keeps nothing (storage is denied) has no key of its own: both are the tab's.

    renew: a key to give up for a new one (this tab is a duplicate). attempt: a new number asks again.
    """
    result = _components()[1](
        data={"renew": renew, "attempt": attempt}, key="tab_key", on_key_change=lambda: None, height="content"
    )
    said = result.key
    if not isinstance(said, str) or said.count(":") < 4 or len(said) > 2_000:
        return None
    key, browser, number, alone, base = said.split(":", 4)
    good = number.isdecimal() and len(number) < 10 and min(len(key), len(browser)) >= 32 and len(key + browser) < 200
    if not good or not re.fullmatch(r"https?://[^\s?#]+/", base):
        return None
    return key, browser, int(number), base, alone == "alone"


def sign_in_way(where: str) -> bool:
    """Keeps the address that a visitor came for: `there` before the sign-in; `back`, once it is done, goes on to it.

    Returns whether the browser has kept it.
    """
    result = _components()[8](data={"where": where}, key="sign_in_way", on_kept_change=lambda: None, height="content")
    return bool(result.kept)


def scrubber(about: dict[str, Any], key: str, on_branch: Callable[[], None] = lambda: None) -> None:
    """The slider over a run's past, with Replay, Latest and Branch; the page's feed hears where it stands.

    about: what `show` takes (static/ganscope/scrubber.js). on_branch: called after a click on Branch; `branched(key)`
    says where.
    """
    _components()[2](data=pack(about), key=key, on_branch_change=on_branch, height="content")


def deliver(content: bytes, name: str, mime: str, number: str, on_received: Callable[[], None]) -> None:
    """Has the browser save `content` as the file `name`, once for each `number`; then it calls `on_received`."""
    about = {"name": name, "mime": mime, "number": number, "content": np.frombuffer(content, np.uint8)}
    _components()[3](data=pack(about), key="deliver", on_received_change=on_received, height="content")


def notices(items: list[dict[str, str]]) -> None:
    """Shows each {number, text} until it was closed, or could be read; the browser sees to that by itself."""
    _components()[7](data={"items": items}, key="notices_shown", height="content")


def watch(token: str, kind: str) -> None:
    """The presentation of this token, drawn by the browser alone from then on. kind: `points` or `images`."""
    _components()[4](data={"token": token, "kind": kind}, key="watch", height="content")


def branched(key: str) -> dict[str, Any] | None:
    """Where Branch was clicked just now on the scrubber under `key`: {at: a step, None for now; of: what it showed}."""
    return _wish(key, "branch")


def _wish(key: str, name: str) -> dict[str, Any] | None:
    """What the browser said under this name: {at, of}; None for anything else."""
    wish = (st.session_state.get(key) or {}).get(name)
    if not isinstance(wish, dict) or set(wish) != {"at", "of"} or not isinstance(wish["of"], str):
        return None
    return wish if wish["at"] is None or (type(wish["at"]) is int and wish["at"] >= 0) else None
