"""Folders of given, when, then."""
