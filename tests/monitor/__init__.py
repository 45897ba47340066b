"""The application without a screen: frames, memory, threads."""
