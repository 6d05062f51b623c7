"""One module for each page of docs/reference that is drawn from the code."""
