"""GANscope: `streamlit run app.py`. The frame around every page, and what the server serves beside them."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import shell
from pages.ui.frames import feed, hall_requests, presentations, watch_page
from pages.ui.server import addresses, browser_code, streamlit_private

if __name__ == "__main__":
    shell.run()
else:  # imported by the server, once
    streamlit_private.own_navigation()
    streamlit_private.finish_callbacks()
    app = st.App(
        __file__,
        routes=[
            *watch_page.routes(),
            *presentations.routes(),
            *hall_requests.routes(),
            *feed.routes(),
            *browser_code.routes(),
        ],
        middleware=[Middleware(addresses.Guard)],
        lifespan=shell.lifespan,
    )
