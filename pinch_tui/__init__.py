"""A push-to-talk interpreter in the terminal."""

__version__ = "0.1.0"
