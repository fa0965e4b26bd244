"""Runs of the command line as processes of their own: started, watched, cancelled, and found again after a restart."""
