"""Parts that several pages draw: the map, the position picker, forms made from schemas, timelines, provenance."""
