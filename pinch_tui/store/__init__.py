"""Files of the program: history, state, keys, logs, event log, trace."""
