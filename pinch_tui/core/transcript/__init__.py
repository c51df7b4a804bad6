"""The conversation: reducer, merging and cleaning of texts, exports. Pure."""
