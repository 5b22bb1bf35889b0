"""The compiled form of a model: arrays and text that answer with numpy alone."""
