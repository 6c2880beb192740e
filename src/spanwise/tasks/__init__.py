"""Each task: what it asks, and how the spans found are read."""
