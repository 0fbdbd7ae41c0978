"""The figures of Meszaros, Knight, Akarca and Nowotny (2025, arXiv 2511.01632), drawn from any sweep."""
