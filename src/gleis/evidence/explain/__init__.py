"""Why a model answers as it does: what each feature contributed to one score."""
