"""The kernel's interfaces, read only: netlink, /proc/net, /proc/sys, network namespaces. Bytes in, arrays out.

Names inside are the kernel's own. Knows nothing of the program's model: ``sources`` joins the two.
"""
