"""A push-to-talk interpreter in the terminal. `README.md` beside this file is the map of the code."""

__version__ = "0.1.0"
