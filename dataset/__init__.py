"""FER2013, FER+ and folders of faces as arrays with labels and splits; the audit of their defects."""
