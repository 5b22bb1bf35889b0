"""The nouns every room speaks, the ports between rooms, the error tree and the clock."""
