"""`ferkit label`: archives into Parquet, a row per file, on one machine or a Ray cluster.

| module | job |
|---|---|
| `files.py` | what a user names -> the files to label |
| `store.py` | paths and addresses, through pyarrow's file systems |
| `settings.py` | what decides about the labels |
| `rows.py` | one file -> one row: the function that everything else is built around |
| `child.py`, `own_process.py` | that function in a process that a file may hang or kill |
| `parts.py` | rows -> Parquet files; which files have a row already |
| `on_ray.py` | parts over the cores of a Ray cluster |
| `command.py`, `progress.py` | the command: progress, summary, exit codes |

Needs `ferkit[ray]`: Ray and pyarrow, imported inside functions.
"""
