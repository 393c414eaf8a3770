"""The DAG, top floor: files in, files out."""
