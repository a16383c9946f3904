"""Programs that do a part of what the register does, to measure beside; each runs in an environment of its own."""
