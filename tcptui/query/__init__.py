"""The filter language: text to a syntax tree, the tree to a mask over a socket table. No input or output."""
