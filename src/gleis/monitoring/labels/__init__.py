"""Labels that come late, in part, twice, or not at all."""
