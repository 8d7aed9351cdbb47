"""GANscope: `streamlit run app.py`. The frame around every page, and what the server serves beside them."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import feed, frame, serving, streamlit_private, watch_page, watching

if __name__ == "__main__":
    frame.run()
else:  # imported by the server, once
    streamlit_private.own_navigation()
    app = st.App(
        __file__,
        routes=[*watch_page.routes(), *watching.routes(), *feed.routes()],
        middleware=[Middleware(serving.Guard)],
        lifespan=frame.lifespan,
    )
