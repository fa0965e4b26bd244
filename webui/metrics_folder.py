"""The environment variable by which prometheus_client learns, when it is imported, that several processes count."""

MULTIPROCESS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
