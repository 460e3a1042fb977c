"""Who works here: users, their profiles and their roles."""
