"""What the operator needs: clean-up now, and what tells of trouble."""
