"""Where bytes and facts live: artifacts, dataset tables, tracking, prediction log, audit chain."""
