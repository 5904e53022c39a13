"""The commands, one subject a file; `meterfold.cli` puts them together."""
