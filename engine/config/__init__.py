"""The admin's YAML as validated models, each fault at its file and line."""
