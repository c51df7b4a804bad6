"""The conversation on the screen: one view of any length."""
