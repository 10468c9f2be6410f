"""What is known for certain about a point: bounds on F - min F."""
