"""Safelight restores regions of photographs through a resident local daemon."""

__version__ = "0.1.0"
