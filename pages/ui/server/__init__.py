"""What the server answers, to which names and to whom; and Streamlit's private parts."""
