"""What each score says, what its floor is, and what fools it: with experiments."""

import streamlit as st

from gan_core.score_lab import CHEATS, DATA, REPEATS, SIZES, SPREADS
from gan_core.score_notes import GROUPS, NOTES
from pages.ui import score_view

st.title("Scores")
st.markdown(
    f"""
**A number without its floor and its sample size means nothing.** Samples are few, so even a perfect generator does not
score 0. The **floor** is what it does score: the same comparison between two fresh draws of real data, of the same
size. Below, *real against real* is the floor, mean ± standard deviation over {REPEATS} such pairs; a score *notices* a
fault when it lies more than {SPREADS:g} of these deviations beyond. And each score can be fooled, for each knows only
what it looks at.
"""
)

st.header("What the Fréchet distance cannot tell")
n = st.segmented_control(
    "points on each side",
    SIZES,
    default=SIZES[-1],
    required=True,
    format_func="{:,}".format,
    key="disc_points",
    persist_state="session",
    help="With fewer points every floor rises, and a fault that was plain drowns in it.",
)
score_view.clouds(
    score_view.disc_and_gaussian(n),
    text="Real is a uniform disc, generated a Gaussian. Both have mean 0 and standard deviation ½ in every direction, "
    "and that is all that the Fréchet distance knows, and FID with it. The other three see the whole cloud, if it has "
    "points enough: choose fewer, and all floors rise.",
    key="disc",
)

st.header("Cheat, and see who notices")
with st.container(horizontal=True, vertical_alignment="bottom"):
    data = st.selectbox("data", list(DATA), key="cheat_data", width=130, persist_state="session")
    way = st.selectbox("the generator …", list(CHEATS), key="cheat_way", width=300, persist_state="session")
    percent = st.slider(
        "strength",
        0,
        100,
        50,
        5,
        format="%d %%",
        key="cheat_strength",
        persist_state="session",
        width=420,
        help="0 is a perfect generator: no score notices anything.",
    )
shown = score_view.cheat(data, way, percent)
noticing = sum(row.notices for row in shown.rows)
score_view.clouds(
    shown,
    text=f"**Noticed by {noticing} of {len(shown.rows)} scores**, at {len(shown.fake)} points on each side. "
    f"{CHEATS[way].lesson}",
    key="cheat",
)

st.header("The scores, one by one")
for group in GROUPS:
    st.subheader(group)
    if group == GROUPS[-1]:
        st.markdown(
            "Not shown by default: they need ImageNet weights of 90 MB and some ten seconds for a hundred pictures; "
            "ImageNet's classes say little of digits; and 50,000 samples are customary. "
            "`python -m gan_core evaluate ... --inception WEIGHTS` computes both."
        )
    columns = st.columns(2)
    notes = [(name, note) for name, note in NOTES.items() if note.group == group]
    for i, (name, note) in enumerate(notes):
        with columns[i % 2], st.container(border=True, key=f"note_{name}"):
            st.markdown(f"**{note.title}**  \n{note.what}\n\n*Floor.* {note.floor}\n\n*Fooled by.* {note.fooled}")
            st.caption(note.source)
