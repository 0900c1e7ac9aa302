"""The command line: one module per command, and what they share."""

__all__: list[str] = []
