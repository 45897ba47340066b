"""The application without a screen: poller, presenter, what the user asked for, and what to show."""
