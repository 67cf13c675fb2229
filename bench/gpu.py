"""`aar bench gpu`, as a script: python bench/gpu.py [--json]"""

import sys

from aar.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["bench", "gpu"]
    main()
