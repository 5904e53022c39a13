"""A building that is not there: meters, tenants, lines and faults, for tests, demonstrations and trying a configuration."""
