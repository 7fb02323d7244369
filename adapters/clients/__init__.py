"""Clients that speak to other people's servers, and to our own in the story and the tests."""
