# Runs a command to which the kernel refuses netlink sockets, with EAFNOSUPPORT: what systemd's
# RestrictAddressFamilies= does, by the same means (seccomp), where no systemd is.
import ctypes
import os
import platform
import struct
import sys

AF_NETLINK = 16
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000
NO_NEW_PRIVS, SECCOMP, FILTER = 38, 22, 2

steps = [
    (LOAD, 0, 0, 0),  # the number of the call
    (IF_EQUAL, 0, 3, SOCKET),
    (LOAD, 0, 0, 16),  # its first argument
    (IF_EQUAL, 0, 1, AF_NETLINK),
    (RETURN, 0, 0, FAIL | 97),
    (RETURN, 0, 0, ALLOW),
]
program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


kernel = ctypes.CDLL(None, use_errno=True)
given = Program(len(steps), ctypes.addressof(program))
if kernel.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) or kernel.prctl(SECCOMP, FILTER, ctypes.byref(given), 0, 0):
    sys.exit(f"no seccomp: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
