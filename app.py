"""GANscope: `streamlit run app.py`. The frame around every page, and what the server serves beside them."""

import streamlit as st

from pages.ui import feed, frame, streamlit_private, watching

if __name__ == "__main__":
    frame.run()
else:  # imported by the server, once
    streamlit_private.own_navigation()
    app = st.App(__file__, routes=[*watching.ROUTES, *feed.ROUTES], lifespan=frame.lifespan)
