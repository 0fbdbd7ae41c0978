"""The sweep file: reading it, checking it, and what it asks for."""
