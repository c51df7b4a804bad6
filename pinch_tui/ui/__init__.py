"""The screen: the only package that imports Textual (beside the key driver)."""
