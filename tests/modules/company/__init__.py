"""A package in the project's folder."""
