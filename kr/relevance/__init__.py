"""How much a candidate has to do with the request, and who is admitted."""
