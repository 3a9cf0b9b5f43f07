"""The first page after sign-in: what waits for you. It reads what every part says waits, and changes nothing."""
