"""Thin Bytewax wiring of state and connectors."""
