"""The Android library: what builds and checks it. The library itself is Java."""
