"""`python -m demo`: the runtime on a image and on a short video made from it."""
