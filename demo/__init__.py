"""`python -m demo`: the runtime on an image and on a short video made from it."""
