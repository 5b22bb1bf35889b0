"""Streams of messages, answered once each."""
