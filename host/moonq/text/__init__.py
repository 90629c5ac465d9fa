"""Words and drawings that every part shares: findings, suggestions, sizes, wording."""
