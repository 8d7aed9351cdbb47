"""The user's own file in the sidebar: which kinds a page takes, how they are read, and what was wrong with one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from gan_core.data.image_files import parse_pictures
from gan_core.data.point_files import MOST_BYTES, parse_points
from gan_core.foundations.hyperparameters import ConfigError
from pages.ui.session import page_state
from pages.ui.session.waiting import waited


@dataclass(frozen=True)
class Upload:
    """A kind of file that a page takes."""

    label: str
    types: tuple[str, ...]
    parse: Callable[[bytes, str], tuple[Any, str]]
    unit: str
    help: str


UPLOADS = {
    "file": Upload(
        "Your points",
        ("csv", "tsv", "txt"),
        parse_points,
        "points",
        "A CSV or TSV of two numeric columns, with or without a header; up to 200,000 rows are used.",
    ),
    "picture_file": Upload(
        "Your images",
        ("npz", "zip"),
        parse_pictures,
        "images",
        "An .npz with an array N x H x W or N x H x W x C, or a zip of PNG or JPEG files; its folders become classes. "
        "Up to 60,000 images, each cropped to a square and resized.",
    ),
}


def panel(about: Upload) -> None:
    """The user's own data, kept in the session; a bad file leaves the last good one."""
    here = page_state.page()
    if here.upload is not None and here.upload_name:
        st.caption(f"{here.upload_name}: {len(here.upload):,} {about.unit}. {here.upload_note}")
    file = st.file_uploader(
        about.label,
        type=list(about.types),
        max_upload_size=MOST_BYTES // 1_000_000,
        key=page_state.mine("upload_file"),
        help=about.help,
    )
    if file is None or here.upload_id == file.file_id:
        if here.upload_error:
            st.error(here.upload_error)
        return
    here.upload_error = ""
    try:
        data, note = waited("Reading the file", about.parse, file.getvalue(), file.name)
    except ConfigError as error:
        here.upload_id, here.upload_error = file.file_id, str(error)
        st.error(str(error))
        return
    here.upload_id = file.file_id
    page_state.set_upload(data, file.name, note)
    st.rerun()
