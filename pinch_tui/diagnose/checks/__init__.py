"""The checks: functions from facts to findings, one module a subject. Pure."""
