"""Benchmarks of the speeds that the design promises. Run by ``python3 -m backend bench``; no test asserts a time.

Figures are ratios of things measured side by side in one run, in alternation, on the same machine: absolute numbers of
different machines, or of one machine at different hours, say little.
"""
