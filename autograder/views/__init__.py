"""Views of one report: none of them knows how it came about, and the report knows none of them."""
