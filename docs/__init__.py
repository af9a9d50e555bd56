"""The pages written by hand, the site that `make docs` builds of them, and the table of the card's fields."""
