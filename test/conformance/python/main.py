"""
What transit makes is read by another program, on Python's `cryptography`, and the other way round. Prints a line for each
case: `ok NAME`, or `FAIL NAME: why`.
"""
import sys

import ciphers
import moving
import signatures
from server import CASES, write

assert ciphers and moving and signatures, "each declares its cases"


def main():
    write("sys/mounts/transit", type="transit")
    failed = False
    for name, check, given in CASES:
        try:
            check(*given)
            print("ok", name)
        except Exception as error:
            failed = True
            why = " ".join(str(error).split()) or type(error).__name__
            print(f"FAIL {name}: {type(error).__name__} {why}")
    sys.exit(1 if failed else 0)


main()
