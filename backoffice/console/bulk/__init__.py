"""Bulk actions: what is asked for, a preview, the service, Undo; many rows are a worker's."""
