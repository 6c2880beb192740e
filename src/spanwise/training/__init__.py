"""Training: settings, batches, optimiser, loop, and the state that resumes a run."""
