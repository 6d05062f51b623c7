"""What tests of several layers share: servers and the tree of the repository."""
