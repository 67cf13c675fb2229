"""The control arm: recipes and whole methods drawn evenly, with the same tools, budget and choice of the best."""

from __future__ import annotations

from aar.researchers import configs
from aar.researchers.base import Workbench, researchers
from aar.researchers.explorer import AbstractExplorer, Idea


@researchers.register("random")
class Random(AbstractExplorer):
    """Starts in its direction as every arm does, then looks at nothing."""

    def propose(self) -> Idea:
        return Idea(configs.draw(self.rng, self.offers))

    def look_around(self, bench: Workbench) -> None:
        """A control does not listen."""
