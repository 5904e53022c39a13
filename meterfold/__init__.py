"""The command line and settings: where the parts are put together."""
