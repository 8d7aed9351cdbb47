"""What the pages show and what the words mean, made from the registries."""

import streamlit as st

from gan_core.architectures import ARCHITECTURES, NORMS
from gan_core.config import KNOBS
from gan_core.datasets import DATASETS
from gan_core.losses import LOSSES
from gan_core.optimizers import OPTIMIZERS
from gan_core.penalties import PENALTIES
from gan_core.presets import PRESETS
from gan_core.recipes import RECIPES
from gan_core.schedules import SCHEDULES
from pages.ui import controls, frame


def _rows(registry: dict) -> list[dict[str, str]]:
    return [
        {"name": name, "what it is": row.description, "source": getattr(row, "source", "")}
        for name, row in registry.items()
    ]


st.title("Guide")
st.markdown(
    """
A **generator** turns random numbers *z* into points or pictures; a **discriminator** tells them from real ones. Each
learns from the other. Press **Play** (key **P**) on the playground and watch the orange points find the blue ones, or
on the images page and watch digits appear.

| key | does |
| --- | --- |
| **P** | Play / Pause |
| **S** | Step: pause, then 1, 10 or 100 steps |
| **0** | Reset: same seed, same initial weights |
| **N** | New seed |
| **← →** | a frame back or forth in the run's past |

- A **step** is one generator update; a round has `d_steps` discriminator and `g_steps` generator updates.
- The **plane**: real points blue, generated ones orange; the ground is blue where the discriminator says *real*,
  orange where it says *generated*. *push* shows where the generator's loss drives each sample; an arrow's length
  is bounded, and short where the generator learns nothing. *manifold* is the image of a grid of *z*.
- The **losses** cover the whole run. Dashed lines mark where both rest once the generator is perfect. Dotted lines
  mark knob changes. *D right* is the share of its last batch that the discriminator got right: one half at rest.
- **Scores** stand beside what a perfect generator would get. A mode counts as captured when a sample lies within 3
  standard deviations of its centre; such samples are of high quality (98.9 % of a perfect generator's).
  *Wasserstein-1* is the mean distance that the samples must travel to become real ones, exact at the stated
  sample size; its floor is the same distance between two sets of real points.
- **Images**: the grid shows the same *z* all along, so a place in it is one sample that changes. Click one to see its
  nearest real pictures: a generator that only repeats them has learned by heart. The *latent panel* mixes corners of
  *z*. In *conditional* training both networks are told the class, and you choose which class each row shows.
- **Scores of images** come from a small classifier that is trained once for each data set. *classifier-FID* is the
  Fréchet distance between its features of generated and of real pictures; its floor is the same between two draws of
  real pictures. It is not the published FID, which uses another network's features: compare it only with its floor.
  *confidence* is the mean probability of the likeliest class; *class TV* is the total variation between the shares of
  the classes, generated and real. A confident classifier can be wrong: look at the pictures too.
- Your own pictures travel no further than this server, and no file of yours is changed. A known set is looked for in
  the folder that `GANSCOPE_DATA` names, then where Keras keeps it; only if it is nowhere, it is downloaded.
- The address bar holds every setting and the seed: copy it, and whoever opens it gets the same run.
"""
)
st.header("Presets")
for name, preset in PRESETS.items():
    with st.container(horizontal=True, vertical_alignment="center"):
        opened = st.button("Open", key=f"open_{name}", help=f"Opens the preset {name}.")
        st.markdown(f"**{name}**: {preset.description}")
    if opened:
        controls.set_config(preset.config)
        st.switch_page(frame.PAGE_OF_KIND[preset.kind])
st.header("Data sets")
st.table(_rows(DATASETS))
st.header("Architectures")
st.table(_rows(ARCHITECTURES))
st.header("Normalisations")
st.table([{"name": name, "what it is": text} for name, text in NORMS.items()])
st.header("Losses")
st.table(_rows(LOSSES))
st.header("Penalties")
st.table(_rows(PENALTIES))
st.header("Optimizers")
st.table(_rows(OPTIMIZERS))
st.header("Schedules of the rates")
st.table(_rows(SCHEDULES))
st.header("Recipes")
st.table(_rows(RECIPES))
st.header("Knobs")
st.table(
    [
        {
            "name": f"`{name}`",
            "what it does": knob.help,
            "range": knob.accepts(),
            "acts": "at once" if knob.live else "from step 0",
        }
        for name, knob in KNOBS.items()
    ]
)
