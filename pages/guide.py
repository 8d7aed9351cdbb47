"""The guide: what the words mean, what the pages show, and tables made from the registries."""

from functools import partial

import streamlit as st

from gan_core.data.datasets import DATASETS
from gan_core.glossary import TERMS
from gan_core.networks.architectures import ARCHITECTURES
from gan_core.networks.network_hyperparameters import NORMS
from gan_core.objectives.augmentations import AUGMENTATIONS
from gan_core.objectives.losses import LOSSES
from gan_core.objectives.optimizers import OPTIMIZERS
from gan_core.objectives.penalties import PENALTIES
from gan_core.objectives.schedules import SCHEDULES
from gan_core.settings.all_settings import HYPERPARAMETERS
from gan_core.settings.combinations import needs
from gan_core.settings.presets import PRESETS
from gan_core.settings.recipes import RECIPES
from pages.ui import shell
from pages.ui.run import notices
from pages.ui.session import clicks, page_state


def _rows(registry: dict) -> list[dict[str, str]]:
    return [
        {"name": name, "what it is": row.description, "source": getattr(row, "source", "")}
        for name, row in registry.items()
    ]


def _open(name: str) -> None:
    preset = PRESETS[name]
    page_state.set_config(preset.config)
    page_state.tab().goes_to = shell.PAGE_OF_KIND[preset.kind]


notices.draw()
st.title("Guide")
st.markdown(
    """
A **generator** turns random numbers *z* into points or images. A **discriminator** tells them from real ones. Both
learn at the same time: the generator to fool the discriminator, the discriminator not to be fooled. Open **Points** and
press **Play** (key **P**): the orange points find the blue ones. On **Images**, digits appear.
"""
)
st.header("Words")
st.markdown("\n".join(f"- **{term}**: {text}" for term, text in TERMS.items()))
st.header("Keys")
st.markdown(
    """
| key | does |
| --- | --- |
| **P** | Play / Pause |
| **S** | Step: pause, then take 1, 10 or 100 steps |
| **0** | Reset: same seed, same initial weights |
| **N** | New seed |
| **A** | Anatomy of a step, and back to the losses |
| **.** **,** | in Anatomy: next phase, phase before |
| **M** | in Anatomy: slow motion |
| **D** **G** | in Anatomy: Step D, Step G |
| **B** | back to the best: the recorded frame with the best main score |
| **← →** | one frame back or forward in the history |
"""
)
st.header("What the pages show")
st.markdown(
    """
- The **plot** on Points: real points are blue, generated points orange. The background is blue where the discriminator
  says *real*, orange where it says *generated*. *Gradients* shows where the generator's loss pulls each sample; the
  length of an arrow is limited, and short where the generator learns nothing. *Manifold* shows where a grid of *z*
  lands.
- The **losses** cover the whole run. Dashed lines mark the equilibrium. Dotted lines mark changed settings. *D
  accuracy* is the share of its last batch that the discriminator judged correctly: 50 % at equilibrium.
- The **coach** says in the line above the plots what goes wrong. Its evidence is a band in the losses, and ◆ on the
  history slider shows where it began. *Apply* sets the remedy now. *Race it* compares both from the same start.
- **Breakpoints** pause training by themselves: at a step, when the coach finds something, when a score passes a value,
  when a mode is lost, before a number becomes NaN or infinite, or when your own condition becomes true.
- **Anatomy** draws what one training step is made of: the way of the discriminator (D) is blue, that of the generator
  (G) orange. *Slow motion* goes through the next step phase by phase, with the numbers of its batch. *Step D* and
  *Step G* train one network alone. To see what G gets from a D at its optimum, set *Generator steps* to 0, let D
  train, and look at the gradient of G.
- **Scores** stand next to the value of real data. A mode counts as captured when a sample lies within 3 standard
  deviations of its centre; such samples are of *high quality* (98.9 % for real data). *Wasserstein-1* is the mean
  distance that the samples must travel to become real ones, exact at the stated sample size.
- **Images**: the grid always shows the same *z*, so one place in it is one sample that changes. Click an image to see
  its nearest real images: if it only repeats them, the generator has memorized the data. *Interpolate z* mixes two or
  four vectors. In *conditional* training both networks are told the class, and you choose the class of each row.
- **Scores of images** come from a small classifier, trained once for each data set. *classifier-FID* is the Fréchet
  distance between its features of generated and of real images. It is not the published FID, which uses another
  network's features: compare it only with the value of real data. *classifier-KID* compares the same features by a
  kernel, and is not higher with fewer images. *untrained-FID* is the distance by a network that has learned nothing: a
  gain that it sees too is none of the classifier's own. *Confidence* is the mean probability of the most
  likely class. *Class balance (TV)* is the total variation between the shares of the classes, generated and real. A
  confident classifier can be wrong: look at the images too.
- Your own images stay on this server, and none of your files is changed. A known data set is looked for in the folder
  that `GANSCOPE_DATA` names, then where Keras keeps it. It is downloaded only if it is in neither.
- The address bar holds every setting and the seed: copy it, and anyone who opens it gets the same run.
- A **preset** sets the data and all settings. A **recipe** sets the training settings of a paper, for any data.
"""
)
st.header("Presets")
for name, preset in PRESETS.items():
    with st.container(horizontal=True, vertical_alignment="center"):
        help_text = f"Opens the preset {name}."
        clicks.button("Open", f"open_{name}", partial(_open, name), at_first=True, help=help_text)
        st.markdown(f"**{name}**: {preset.description}")
TABLES = {
    "Data sets": _rows(DATASETS),
    "Architectures": _rows(ARCHITECTURES),
    "Normalizations": [{"name": name, "what it is": text} for name, text in NORMS.items()],
    "Losses": _rows(LOSSES),
    "Gradient penalties": _rows(PENALTIES),
    "Augmentations": _rows(AUGMENTATIONS),
    "Optimizers": _rows(OPTIMIZERS),
    "Learning rate schedules": _rows(SCHEDULES),
    "Recipes": _rows(RECIPES),
    "Settings": [
        {
            "name": knob.label if knob.group not in ("Generator", "Discriminator") else f"{knob.group}: {knob.label}",
            "key": f"`{name}`",
            "what it does": knob.help,
            "range": knob.accepts(),
            "takes effect": "immediately" if knob.live else "restarts training",
            "needs": needs(name),
        }
        for name, knob in HYPERPARAMETERS.items()
    ],
}
st.header("Reference")
for title, rows in TABLES.items():
    with st.expander(title):
        st.table(rows)
