"""Bytes that have names: in a folder, or in a bucket of S3."""
