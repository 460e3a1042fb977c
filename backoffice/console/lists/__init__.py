"""What every list can do: search past typing errors, pages, columns, views, chips, cells."""
