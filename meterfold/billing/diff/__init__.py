"""What moved an account's bills between two states of knowledge, change by change, exactly."""
