"""What other sites embed: related searches and seed queries in an iframe, and what became of them."""
