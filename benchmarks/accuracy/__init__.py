"""How often the labels are right: of a model, of detector and crop, of a video."""
