"""One client library or file format per module: bytes in, records out. No rules."""
