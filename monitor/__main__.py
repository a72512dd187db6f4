"""`python -m monitor` is the command `margin-monitor`."""

from monitor.cli.main import main

if __name__ == "__main__":
    main()
