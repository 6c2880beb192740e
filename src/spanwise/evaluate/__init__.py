"""Everything the paper measures: metrics, benchmarks, the compared systems and the report."""
