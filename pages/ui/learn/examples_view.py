"""Examples: trainings that are finished, to be watched, and the source tutorials' GANs, which train with one click."""

from functools import partial

import streamlit as st

from gan_core.data.loading import sample_shape
from gan_core.foundations.hyperparameters import ConfigError
from gan_core.networks.architectures import parameter_counts
from gan_core.runs import finished_runs, run_reading
from gan_core.runs.finished_runs import FINISHED
from gan_core.settings.presets import PRESETS, TUTORIALS
from pages.ui import shell
from pages.ui.run import finished_training, settings_panel
from pages.ui.session import clicks, page_state


def _open(name: str) -> None:
    preset = PRESETS[name]
    page_state.set_config(preset.config)
    st.session_state.side = 4  # the tutorials' grids
    page_state.tab().goes_to = shell.PAGE_OF_KIND[preset.kind]


def _watch(name: str) -> None:
    finished_training.want(name)
    page_state.tab().goes_to = shell.PAGE_OF_KIND[FINISHED[name].kind]


def finished(name: str) -> None:
    """The card of a finished training; a click on Watch opens it on its page."""
    row = FINISHED[name]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"finished_{name}"):
        try:
            run = finished_runs.read(name)
        except ConfigError as error:
            st.caption(f":material/folder_off: **{row.title}** cannot be read: {error}")
            return
        picture = run_reading.picture_of(run)
        if picture is not None:
            st.image(picture, width=84)
        with st.container(gap=None, width="stretch"):
            st.markdown(f"**{row.title}**")
            st.markdown(row.look_for)
            mark = "check_circle" if row.good else "warning"
            st.caption(f":material/{mark}: {finished_training.words(row)} · {run.config.data} · {run.step:,} steps")
        clicks.button(
            "Watch",
            f"watch_{name}",
            partial(_watch, name),
            at_first=True,
            help="Opens it in a moment, at step 0. Play goes on at its end.",
        )


def tutorial(name: str) -> None:
    """The card of a tutorial's GAN; a click on Open shows its page with its settings."""
    preset = PRESETS[name]
    with st.container(border=True, key=f"card_{name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            clicks.button(
                "Open",
                f"open_{name}",
                partial(_open, name),
                at_first=True,
                type="primary",
                help=f"Opens the preset {name}.",
            )
            st.markdown(f"**{preset.title}** · `{name}`")
        st.markdown(preset.description + ".")
        c = preset.config
        generator, discriminator = parameter_counts(c, sample_shape(c))
        step = settings_panel.rounded(1e3 * settings_panel.step_seconds(c))
        st.caption(
            f"generator {generator:,}, discriminator {discriminator:,} parameters · z {c.latent_dim}, {c.z_dist} · "
            f"batch size {c.batch_size} · learning rates {c.g_lr:g} and {c.d_lr:g} · about {step} a step on a CPU"
        )


def draw() -> None:
    """All examples."""
    st.markdown(
        "Finished trainings, good ones and bad ones. Press *Watch*, then drag the slider below the plot. **Play** goes "
        "on where the training ended."
    )
    with st.container(key="finished_cards"):
        for name in FINISHED:
            finished(name)
    st.markdown(
        "Seven GANs from popular tutorials, ready to train. Each card says what we corrected. Press *Open*, then "
        "**Play**."
    )
    for name in TUTORIALS:
        tutorial(name)
