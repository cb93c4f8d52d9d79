"""The command: one file for each sub-command, imported when it is called."""
