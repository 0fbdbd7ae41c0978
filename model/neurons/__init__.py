"""Neuron models: what each hidden neuron has of its own beyond its synapses, a model a file."""
