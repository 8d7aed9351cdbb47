"""The user's own file in the sidebar: dropped, looked at, corrected, and only then trained on.

One panel for points and images. A file of the other kind is offered to the other page.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.data.own_files import uploads
from gan_core.data.own_images.image_rules import MOST_BYTES
from gan_core.data.proposal import Proposal, Question, joined, parted
from pages.ui import shell
from pages.ui.components.markdown import plain
from pages.ui.run import own_file, own_preview
from pages.ui.run.own_file import MOMENT_SECONDS, OwnFile
from pages.ui.server import addresses
from pages.ui.session import clicks, page_state

TICK_SECONDS = 0.4
DATA_SETS = {row.kind: name for name, row in DATASETS.items() if row.upload}
HELP = (
    "Points: a table with two columns of numbers or more, as text (CSV and its kin), .xlsx, .parquet, .npy, .npz or "
    "JSON. Images: a zip or tar of images in any usual format, whose folders "
    "can be classes; .npz, .npy, .mat or idx arrays; a CSV of pixels; Parquet. What was understood is shown before "
    "anything trains on it."
)


def panel() -> None:
    """The user's own data, kept in the session; a bad file leaves the last good one."""
    here = page_state.page()
    if here.upload is not None and here.upload_name:
        unit = page_state.tab().kind
        note = plain(here.upload_note)
        st.caption(f"{plain(here.upload_name)}: {len(here.upload):,} {unit}. {note}")
    _sources()
    with st.container(key=page_state.mine("own_file")):  # what comes and goes in it moves nothing else
        if here.own_file is not None:
            _file(here.own_file)


# -- where a file comes from --------------------------------------------------------------------------------


def _sources() -> None:
    here = page_state.page()
    file = st.file_uploader(
        "Your file",
        max_upload_size=MOST_BYTES // 1_000_000,
        key=page_state.mine("upload_file"),
        on_change=clicks.here(_removed),
        help=HELP,
    )
    if file is not None and here.upload_id != file.file_id:
        here.upload_id = file.file_id
        _take(own_file.upload(f"upload {file.file_id}", file.name, file.getvalue))
    folder = own_file.data_folder() if addresses.is_for_oneself() else None
    if folder is not None:
        _server_folder(["", *own_file.listed(folder)])
    if page_state.tab().kind == "points":
        with st.expander("Paste a table"):
            st.text_area(
                "Paste a table",
                key=page_state.mine("paste"),
                on_change=clicks.here(_pasted),
                height=120,
                label_visibility="collapsed",
                placeholder="two columns of numbers, as copied from a spreadsheet",
            )


def _removed() -> None:
    """A file that was taken out again is looked at no more; one that is trained on stays."""
    here = page_state.page()
    if st.session_state.get(page_state.mine("upload_file")) is not None:
        return
    here.upload_id = ""
    file = here.own_file
    if file is not None and file.source.startswith("upload") and not _is_used(file.proposal()):
        _put_away(file)


def _take(file: OwnFile) -> None:
    here = page_state.page()
    if here.own_file is not None:
        here.own_file.stop()
    here.own_file = file.start(page_state.tab().works)


def _server_folder(names: list[str]) -> None:
    st.selectbox(
        "Or of the server's folder",
        names,
        key=page_state.mine("server_file"),
        on_change=clicks.here(_from_server),
        format_func=lambda name: name or "choose",
        help="Files and folders in GANSCOPE_DATA, of any size.",
    )


def _from_server() -> None:
    name, folder = st.session_state.get(page_state.mine("server_file")), own_file.data_folder()
    if name and folder is not None and name in own_file.listed(folder):
        _take(OwnFile(f"server {name}", name, folder / name))


def _pasted() -> None:
    text = st.session_state.get(page_state.mine("paste")) or ""
    if text.strip():
        _take(OwnFile(f"paste {hash(text)}", "pasted table", text.encode()))


# -- what was understood ------------------------------------------------------------------------------------


def _file(file: OwnFile) -> None:
    done = file.done(MOMENT_SECONDS)
    with st.container(key=page_state.mine("own_progress")):
        if not done:
            st.fragment(_progress, run_every=TICK_SECONDS)(file)
        elif file.stopped:
            st.caption(f"{plain(file.name)} was not read to its end.")
            clicks.button("Read it", page_state.mine("own_again"), partial(_again, file))
        elif file.error():
            st.error(plain(file.error()))
    proposal = file.proposal()
    if proposal is not None:
        if file.error():
            st.caption("What was understood before stands.")
        _proposal(file, proposal, ready=done and not file.stopped)
    dropped = file.source.startswith("upload") and st.session_state.get(page_state.mine("upload_file")) is not None
    if done and not dropped and not _is_used(proposal):  # what was dropped here is taken out where it was dropped
        clicks.button(
            "Put away",
            page_state.mine("leave_own"),
            partial(_put_away, file),
            help="Shows this file no more. What the page trains on stays.",
        )


def _put_away(file: OwnFile) -> None:
    file.stop()
    here = page_state.page()
    if here.own_file is file:
        here.own_file = None
        for source, field in (("server", "server_file"), ("paste", "paste")):  # the same can be given again
            if file.source.startswith(source):
                st.session_state[page_state.mine(field)] = ""


def _progress(file: OwnFile) -> None:
    if file.done():
        st.rerun()  # the timer changes only in a full run
    text, done, total = file.progress
    share = min(1.0, done / total) if total else 0.0
    st.progress(share, f"{text}: {done:,} of {total:,}" if total else text)
    st.button("Stop", key=page_state.mine("own_stop"), on_click=file.stop)


def _again(file: OwnFile) -> None:
    page_state.page().own_file = file.again(page_state.tab().works)


def _is_used(proposal: Proposal | None) -> bool:
    """Whether it is what this page trains on."""
    data = None if proposal is None else proposal.data
    return data is not None and uploads.same(page_state.page().upload, data)


def _proposal(file: OwnFile, proposal: Proposal, ready: bool) -> None:
    elsewhere = proposal.kind != page_state.tab().kind
    used = _is_used(proposal)
    with st.expander(f"{plain(file.name)}: {own_preview.summary(proposal)}", expanded=not used):
        own_preview.preview(proposal, page_state.mine("own"))
        for question in proposal.questions:
            _question(file, question)
        if used:
            return
        if proposal.open:
            st.warning("Answer first: " + ", ".join(question.label.lower() for question in proposal.open) + ".")
        if elsewhere:
            other = page_state.PAGE_OF[proposal.kind]
            st.info(f"This file holds {proposal.kind}, which the page {other} trains on.")
        clicks.button(
            f"Use these on {page_state.PAGE_OF[proposal.kind]}" if elsewhere else "Use these",
            page_state.mine("use_own"),
            partial(_use, file, proposal),
            type="primary",
            disabled=not ready or own_file.with_data(proposal) is None,
            help="Trains on them. Until then the last data stay.",
        )


def _question(file: OwnFile, question: Question) -> None:
    """A question as widgets that stand at its answer; another answer has the file read anew at once."""
    if question.name == "columns":
        _columns(file, question)
    elif question.several:
        key = page_state.mine(f"own_{question.name}")
        chosen = [value for value in parted(question.chosen) if value in question.options]
        if st.session_state.get(key) != chosen:
            st.session_state[key] = chosen
        st.multiselect(
            question.label,
            list(question.options),
            chosen,
            max_selections=question.several,
            format_func=partial(_meaning, question),
            key=key,
            help=question.help,
            on_change=clicks.here(_answered),
            args=(file, question, joined(chosen)),
        )
    else:
        now = None if question.open else question.chosen
        _one_of(question, question.name, question.label, now, clicks.here(_answered), (file, question, now))


def _meaning(question: Question, value: str) -> str:
    return question.options.get(value, value)


def _one_of(question: Question, name: str, label: str, now: str | None, changed: Callable, args: tuple) -> None:
    """One of the question's options."""
    key, values = page_state.mine(f"own_{name}"), list(question.options)
    if now is not None and now not in values:  # of very many, such as a workbook's sheets, not all are offered
        values.append(now)
    if st.session_state.get(key) != now:
        st.session_state[key] = now
    st.selectbox(
        label,
        values,
        None if now is None else values.index(now),
        format_func=partial(_meaning, question),
        placeholder="choose",
        key=key,
        help=question.help,
        on_change=changed,
        args=args,
    )


def _columns(file: OwnFile, question: Question) -> None:
    """Two boxes, since a column can be exchanged in them for another at once, and x be told from y."""
    pair = parted(question.chosen)
    for i, axis in enumerate("xy"):
        _one_of(
            question, f"columns_{i}", f"Column of {axis}", pair[i], clicks.here(_column_answered), (file, question, i)
        )


def _column_answered(file: OwnFile, question: Question, i: int) -> None:
    """Another column for x (i = 0) or y (1). Where it was the other axis's, the two change places."""
    before, value = parted(question.chosen), _new_value(file, question, f"columns_{i}")
    if value is None or value == before[i]:
        return
    other = before[i] if value == before[1 - i] else before[1 - i]
    pair = [value, other] if i == 0 else [other, value]
    page_state.page().own_file = file.chosen("columns", joined(pair), page_state.tab().works)


def _answered(file: OwnFile, question: Question, before: str | None) -> None:
    """Another answer than `before`."""
    value = _new_value(file, question, question.name)
    text = joined(value) if isinstance(value, list) else value
    if text is not None and text != before:
        page_state.page().own_file = file.chosen(question.name, text, page_state.tab().works)


def _new_value(file: OwnFile, question: Question, name: str) -> Any:
    """What its widget says now; None where the file is another by now, or where that is none of its options.

    The browser says what a widget of that name showed for the file before, as a text, with its first message after
    another file; a click on *Use these* in that message would find this file read anew.
    """
    value = st.session_state.get(page_state.mine(f"own_{name}"))
    values = value if isinstance(value, list) else [value]
    known = {*question.options, question.chosen}
    return value if page_state.page().own_file is file and all(each in known for each in values) else None


def _use(file: OwnFile, proposal: Proposal) -> None:
    """Trains on what was understood, on the page of its kind. The same file may have been dropped again meanwhile;
    of another one, which its user has not seen yet, the click was none."""
    here, there = page_state.page(), page_state.page(proposal.kind)
    now, data = here.own_file, own_file.with_data(proposal)
    if now is None or not now.is_like(file) or data is None:
        return
    page_state.set_upload(data, file.name, " ".join(proposal.notes), proposal.kind)
    there.own_file = now
    if there is not here:
        here.own_file = None
        config = there.config or page_state.first_config(proposal.kind)
        page_state.set_config(config.updated({"data": DATA_SETS[proposal.kind]}))
        page_state.tab().goes_to = shell.PAGE_OF_KIND[proposal.kind]
