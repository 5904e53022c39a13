"""The whole road, in processes."""
