"""What is kept on disk: history, state, secrets, event log, trace."""
