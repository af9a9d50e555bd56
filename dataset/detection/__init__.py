"""Images with boxes of faces: to train a detector on, and to measure any detector on.

1. `images` reads files of folders and archives, `annotations` the boxes beside them. `teacher` adds what
   YuNet says of them. `splits` divides them, and `photos` does all of it.
2. `geometry` moves images with their boxes. `heads` cuts out faces and heads, `pasting` pastes them.
3. `groups` makes images to measure on: small, dark, blurred, turned, pasted faces. `scores` counts what a
   detector found there. `boxes` is the arithmetic.
"""
