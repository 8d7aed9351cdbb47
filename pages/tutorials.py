"""The source tutorials' GANs, each a preset that trains with one click."""

from functools import partial

import streamlit as st

from gan_core.data.loading import sample_shape
from gan_core.networks.architectures import parameter_counts
from gan_core.settings.presets import PRESETS, TUTORIALS
from pages.ui import shell
from pages.ui.run import notices, settings_panel
from pages.ui.session import clicks, page_state


def _open(name: str) -> None:
    preset = PRESETS[name]
    page_state.set_config(preset.config)
    st.session_state.side = 4  # the tutorials' grids
    page_state.tab().goes_to = shell.PAGE_OF_KIND[preset.kind]


notices.draw()
st.title("Examples")
st.markdown(
    "Seven GANs from popular tutorials, ready to train. Each card says what we corrected. Press *Open*, then **Play**."
)
for name in TUTORIALS:
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
