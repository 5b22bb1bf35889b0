"""Where rows of a dataset come from: what is new there is read, and taken once."""
