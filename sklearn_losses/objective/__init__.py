"""From scores to one number and its derivatives: weighted mean, penalty, and the parameters of solvers."""
