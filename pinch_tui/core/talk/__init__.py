"""The talk key and the utterance: hold machine, talk machine. Pure."""
