"""`python -m demo`: the runtime on a picture and on a short video made from it."""
