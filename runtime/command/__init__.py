"""The command `ferkit`: its sources, its outputs and its checks of model files."""
