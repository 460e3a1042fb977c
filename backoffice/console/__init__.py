"""The admin kit that every ModelAdmin of the project is built with."""
