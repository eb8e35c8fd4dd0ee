"""Benchmarks for the figures in the README: ``python -m benchmarks``."""
