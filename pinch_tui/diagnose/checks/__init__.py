"""The doctor's checks, one module per subject. Each examines one thing and returns a finding."""
