"""Catallaxy: language-model agents play economic games."""
