"""The version of gleis: part of the name of every kept result."""

VERSION = "0.1.0"
