"""The same answers without a screen: one module a sub-command. Never imports textual."""
