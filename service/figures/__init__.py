"""Pictures of a trained network: arrays in, bytes or text out. Nothing here touches a screen or a global."""

from model.caches import spare_home

spare_home()  # before matplotlib looks for one
