"""Prediction log and labels become drift, performance and alarms."""
