"""What keeps two runs apart where a lock on this machine is not enough."""


class Hold:
    """A run's hold on a folder, beyond the lock of its journal; of a folder that needs none, as here, it is nothing."""

    def check(self) -> None:
        """Raise Stopped where another run may write there by now."""

    def confirm(self) -> None:
        """Make sure that no other run may write there for a while. Raises Stopped where one may."""

    def is_sure(self) -> bool:
        """Whether it holds, and the folder can be written: asking takes some seconds at most."""
        return True

    def send(self) -> None:
        """Have what the journal says known to other machines before anything else is done. Raises Stopped."""

    def release(self) -> None:
        """End it, as nothing of the run is unfinished. Raises Stopped."""

    def close(self) -> None:
        """Let go; what the run has not finished, stays known."""
