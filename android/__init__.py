"""The runtime for Android, in Java. A package, so that `python -m android.build` runs."""
