"""Hard instances with known answers, and the test of an attention kernel against them."""
