"""The record: who changed what, when and why."""
