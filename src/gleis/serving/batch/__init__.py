"""Tables at once: on disk, in memory, in other people's programs."""
