"""Seeded streams against an oracle that shares no code with state."""
