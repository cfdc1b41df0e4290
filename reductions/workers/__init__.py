"""Work shared out among processes and machines."""
