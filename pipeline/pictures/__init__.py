"""The report's pictures: numbers in, inline SVG or a small PNG out, readable on white and on black."""
