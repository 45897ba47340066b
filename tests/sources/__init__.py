"""Sources that need no kernel state of their own."""
