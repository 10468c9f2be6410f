"""What benchopt's files and ratios.py share: data, problems, and the solvers of this and other libraries."""
