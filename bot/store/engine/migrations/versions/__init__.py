"""The migrations. Each file contains a single migration, and the file names are in order."""
