"""Templates: a folder each with a notebook, typed parameters, sources and declared outputs."""
