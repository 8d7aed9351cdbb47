"""What a saved run can be made into for others."""
