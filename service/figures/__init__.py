"""Pictures of a trained network: arrays in, bytes or text out. Nothing here touches a screen or a global."""
