"""The screen: by pilot, in a real terminal, and as text a reviewer can read."""
