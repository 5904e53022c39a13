"""Stories of single supply points, told in files: see README.md."""
