"""The interpreter of the machines: owns session, talk state and transcript."""
