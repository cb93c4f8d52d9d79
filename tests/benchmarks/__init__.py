"""Benchmarks: run by hand or by a nightly job, never collected by pytest."""
