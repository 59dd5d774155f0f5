"""python -m noisecli."""

from noisecli.cli import main

if __name__ == "__main__":
    main()
