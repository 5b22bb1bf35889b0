"""The sections of the evidence that need more than scores, a file each."""
