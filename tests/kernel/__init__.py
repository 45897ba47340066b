"""The kernel's interfaces: bytes in, arrays out."""
