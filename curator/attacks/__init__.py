"""What an attacker could do with exactly the bytes about to be released."""
