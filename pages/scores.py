"""What each score says, what real data get, and what fools it: with experiments."""

import streamlit as st

from gan_core.scores.registry import SCORES
from gan_core.scores.score import GROUPS, IMAGENET
from gan_core.scores.score_lab import CHEATS, DATA, REPEATS, SIZES, SPREADS
from pages.ui import score_experiments
from pages.ui.run import notices

notices.draw()
st.title("Score lab")
st.markdown(
    f"""
**Compare every score with the score of real data.** Samples are limited, so even real data do not score 0 against
other real data. Below, *real data* is the score of real samples against other real samples of the same number, as mean
± standard deviation over {REPEATS} pairs. A score **notices** a fault if it is more than {SPREADS:g} standard
deviations worse. And each score can be fooled, because it measures only one thing.
"""
)

st.header("What the Fréchet distance cannot tell")
n = st.segmented_control(
    "Points on each side",
    SIZES,
    default=st.session_state.get("disc_points", SIZES[-1]),
    required=True,
    format_func="{:,}".format,
    key="disc_points",
    persist_state="session",
    help="With fewer points the values of real data get worse too, and a fault is harder to notice.",
)
score_experiments.clouds(
    score_experiments.disc_and_gaussian(n),
    text="The real data are a uniform disc, the generated data a Gaussian. The Fréchet distance, and so FID, compares "
    "only mean and covariance, and here both are equal. The other three scores compare all points. With few points "
    "they see less.",
    key="disc",
)

st.header("Cheat, and see which scores notice")
with st.container(horizontal=True, vertical_alignment="bottom"):
    data = st.selectbox("Data", list(DATA), key="cheat_data", width=130, persist_state="session")
    way = st.selectbox("The generator …", list(CHEATS), key="cheat_way", width=300, persist_state="session")
    st.session_state.setdefault("cheat_strength", 50)
    percent = st.slider(
        "Strength",
        0,
        100,
        st.session_state.cheat_strength,
        step=5,
        format="%d %%",
        key="cheat_strength",
        persist_state="session",
        width=420,
        help="0: a perfect generator, and no score notices anything. 100: the fault in full.",
    )
shown = score_experiments.cheat(data, way, percent)
noticing = sum(row.notices for row in shown.rows)
score_experiments.clouds(
    shown,
    text=f"**Noticed by {noticing} of {len(shown.rows)} scores**, at {len(shown.fake)} points on each side. "
    f"{CHEATS[way].lesson}",
    key="cheat",
)

st.header("The scores, one by one")
for group in GROUPS:
    st.subheader(group)
    if group == IMAGENET:
        st.markdown(
            "Not shown by default: they need ImageNet weights of 90 MB and about ten seconds for a hundred images. "
            "ImageNet's classes say little about digits, and 50,000 samples are usual. "
            "`python -m gan_core evaluate ... --inception WEIGHTS` computes both."
        )
    columns = st.columns(2)
    rows = [(name, row) for name, row in SCORES.items() if row.group == group]
    for i, (name, row) in enumerate(rows):
        with columns[i % 2], st.container(border=True, key=f"note_{name}"):
            title = row.title[0].upper() + row.title[1:]
            st.markdown(f"**{title}**  \n{row.what}\n\n*Real data.* {row.real_data}\n\n*Fooled by.* {row.fooled}")
            st.caption(row.source)
