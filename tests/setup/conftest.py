from __future__ import annotations

from pathlib import Path

import pytest

from tests.setup.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Debian with a new enough Python and nothing else."""
    return Machine(tmp_path)
