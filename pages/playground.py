"""The 2-D playground: knobs in the sidebar, the plane and the losses beside each other."""

import streamlit as st

from pages.ui import controls, frame, live

frame.through_app()
run = live.own_run()
with st.sidebar:
    config = controls.config_panel(controls.current())
controls.write_url(config)
if st.session_state.problems:
    st.warning(" ".join([*st.session_state.problems, "Everything else was taken."]))
live.transport(run)
live.follow(run, config)
live.live_view(run)
live.layer_table(run)
