"""The small trained GPT-2 that makes the course work offline, and all that made it: see README.md."""
