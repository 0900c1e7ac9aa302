"""Who and what a sentence has mentioned so far, and whom "it" and "the box" mean."""

from __future__ import annotations

from dataclasses import dataclass, replace

from worldline.retrieval.query import Op, Who

__all__ = ["Mentions", "Named"]


@dataclass
class Named:
    """Somebody or something that a clause mentions.

    Attributes:
        who: what is said of it.
        words: as written.
        at: its place in the clause.
        number: how many there are, with the words and the comparator that say so.
        is_place: part of the static world.
        link: the preposition before it, if any.
        name: a variable; "" until somebody else has to be the same.
    """

    who: Who
    words: str
    at: int
    number: int = 1
    number_words: str = ""
    op: Op | None = None
    is_place: bool = False
    link: str = ""
    name: str = ""


class Mentions:
    """The objects of one sentence in order, the last subject among them."""

    def __init__(self) -> None:
        self.subject: str | None = None
        self.handled: str | None = None
        self.met: str | None = None
        self._known: list[Named] = []

    def name(self, named: Named) -> Who:
        """Its description, with a variable of its own."""
        if not named.name:
            named.name = f"object {len(self._known) + 1}"
        if all(known is not named for known in self._known):
            self._known.append(named)
        return replace(named.who, name=named.name)

    def introduce(self, named: Named) -> Who:
        """Name somebody and make them the subject of verbs that come without one."""
        who = self.name(named)
        self.subject = who.name
        return who

    def follow_last(self) -> None:
        """Make the last one mentioned the subject: "a ball hits a box, which then slides"."""
        if self._known:
            self.subject = self._known[-1].name

    def prefer_described(self) -> None:
        """ "Nothing touched the vase before it fell": "it" is what has a name of its own."""
        subject = next((k for k in self._known if k.name == self.subject), None)
        told = [k for k in self._known if k.who != Who()]
        if subject is not None and subject.who == Who() and told:
            self.subject = told[-1].name

    def recall(self, who: Who) -> str:
        """The variable of whom "the box" means: the last box that was mentioned, or ""."""
        for named in reversed(self._known):
            alike = bool(who.labels) and named.who.labels == who.labels
            if alike and who.colors in ((), named.who.colors):
                return named.name
        return ""

    def it(self) -> str:
        """The variable of whom "it" means after a verb: the last one who is not its subject."""
        for named in reversed(self._known):
            if named.name != self.subject:
                return named.name
        return self.subject or ""
