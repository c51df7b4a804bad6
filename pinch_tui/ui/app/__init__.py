"""The Textual app: it joins engine, talk key and screens."""
