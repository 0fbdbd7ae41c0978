"""Evolution of a population that trains: who is replaced, by a child of whom, and how the child differs.

Pure functions of results and numbers; the service keeps the population, and the networks move themselves.
"""
