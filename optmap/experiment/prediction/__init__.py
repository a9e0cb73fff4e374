"""What a row will reach, guessed from stored rows: to order work, never to replace a value."""
