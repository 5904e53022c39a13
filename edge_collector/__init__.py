"""Polls meters, keeps an outbox, publishes: runs on a small box."""
