"""Golden exchanges and payloads: what was said once is understood for ever. Servers and clients both replay them."""
