"""Text on a grid of cells: clusters, line breaks, direction."""
