"""What users are told: in the app and by e-mail, as each chooses; see docs/console.md."""
