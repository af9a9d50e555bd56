"""What the commands share: files, tables, plots, times, figures and the wrapper of a command."""
