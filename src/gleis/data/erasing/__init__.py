"""Taking a person's rows out of datasets, and keeping them out."""
