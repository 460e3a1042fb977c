"""Files on any object of ours: private, checked, and on the record."""
