"""The filter language: text to tree, tree to mask, errors."""
