"""Everything Streamlit that more than one page needs. Imports gan_core, never TensorFlow."""
