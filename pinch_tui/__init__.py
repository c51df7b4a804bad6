"""A push-to-talk interpreter in the terminal. `README.md` in this folder is the map of the code."""

__version__ = "0.1.0"
