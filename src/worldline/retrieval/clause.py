"""Reading one clause: its event, who takes part, and the measured conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from worldline.core.errors import InputError
from worldline.retrieval.plan import Guess
from worldline.retrieval.query import PAIR_TYPES, And, Compare, Count, Event, Op, Query, Who
from worldline.retrieval.rows import STATIC_LABEL
from worldline.retrieval.used import check_whole, counted_twice, in_unit, unused, whole
from worldline.retrieval.verbs import DOING, SECOND_ROLE, is_turned_round
from worldline.retrieval.vocabulary import QUANTITY_OF, Kind
from worldline.retrieval.words import Item

__all__ = ["Reader"]

_OTHER = ("another", "other", "others")
_RELATIVE = ("which", "that", "who")
_NOUN_ENDINGS = ("ion", "ions", "near miss", "accident", "accidents", "call", "shave", "escape")


@dataclass
class _Named:
    """Somebody or something that a clause mentions."""

    who: Who
    words: str
    at: int
    number: int = 1
    number_words: str = ""
    op: Op | None = None
    place: bool = False
    after: Kind | None = None
    name: str = ""


@dataclass
class _Draft:
    """What a clause says before it becomes a query."""

    events: list[tuple[int, Item, bool]] = field(default_factory=list)
    people: list[_Named] = field(default_factory=list)
    where: list[tuple[int, str, Compare]] = field(default_factory=list)
    count: tuple[Op, int] | None = None
    height: Item | None = None


class Reader:
    """Reads the clauses of one sentence in order, and remembers subjects and remarks."""

    def __init__(self) -> None:
        self._guesses: list[Guess] = []
        self._ignored: list[str] = []
        self._subject: str | None = None
        self._num_names = 0
        self._known: list[_Named] = []

    def ignore(self, items: Sequence[Item]) -> None:
        """Note that these said nothing, apart from words that never do.

        Raises:
            InputError: there is a number among them.
        """
        for item in items:
            if item.kind is Kind.NUMBER:
                raise unused(items, item)
        quiet = (Kind.FILLER, Kind.ARTICLE, Kind.AND, Kind.COMMA, Kind.UNKNOWN)
        self._ignored += [item.words for item in items if item.kind not in quiet]

    def remarks(self, items: Sequence[Item]) -> tuple[tuple[Guess, ...], tuple[str, ...]]:
        """All guesses, and all ignored words, unknown ones among `items` included."""
        spelled = [
            Guess(item.words, f"read as {item.entry.text or item.kind}".replace("_", " "))
            for item in items
            if item.guessed
        ]
        unknown = [item.words for item in items if item.kind is Kind.UNKNOWN]
        return tuple(spelled + self._guesses), tuple(unknown + self._ignored)

    def clause(self, items: Sequence[Item]) -> Query:
        """The query of one clause, which holds at least one event.

        Raises:
            InputError: a number is not used whole, a count is no whole number or given twice, or
                limits exclude each other.
        """
        draft = self._draft(items)
        last = len(draft.events) - 1
        parts: list[Query] = []
        for number, (at, item, noun) in enumerate(draft.events):
            event = Event(item.entry.text)
            if event.type in DOING:
                event = self._with_doing(event, items, at, draft)
            else:
                event = self._with_roles(event, items, at, noun, draft, is_last=number == last)
            event = self._with_where(event, number, draft)
            parts.append(self._counted(event, draft) if number == last else event)
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    # What is there

    def _draft(self, items: Sequence[Item]) -> _Draft:
        draft = _Draft()
        colors: tuple[str, ...] = ()
        number: Item | None = None
        comparator: Item | None = None
        hint: Item | None = None
        link: Kind | None = None
        joined = counted = False
        for at, item in enumerate(items):
            if item.words in _OTHER and [i.kind for i in items[at + 1 : at + 2]] == [Kind.NOUN]:
                continue
            match item.kind:
                case Kind.EVENT:
                    noun = self._is_noun(items, at)
                    draft.events.append((at, item, noun))
                    if number is not None:
                        timed = hint is not None and hint.kind in (Kind.WITHIN, Kind.LASTING)
                        apart = timed or len(draft.events) > 1
                        check_whole(items, number, at, apart=apart)
                        self._count(draft, comparator, number)
                        number = comparator = None
                    link = Kind.ON if item.words.endswith("behind") else None
                case Kind.COLOR:
                    colors += (item.entry.text,)
                case Kind.NOUN | Kind.ANYTHING | Kind.PLACE:
                    who = _who(item, colors)
                    named = _Named(who, item.words, at, place=item.kind is Kind.PLACE, after=link)
                    if number is not None:
                        check_whole(items, number, at)
                        named.number, named.number_words = whole(number), number.words
                        named.op = Op(comparator.entry.text) if comparator else None
                        number = comparator = None
                    if joined and draft.people and item.kind is Kind.NOUN:
                        before = draft.people[-1].who
                        both = Who(before.labels + who.labels, before.colors + who.colors)
                        draft.people[-1].who = both
                    else:
                        if _is_definite(items, at):
                            named.name = self._known_name(who)
                        draft.people.append(named)
                    colors, joined = (), False
                case Kind.NUMBER:
                    if number is not None:
                        raise unused(items, number)
                    if hint is not None and hint.kind is Kind.QUANTITY:
                        if [i.kind for i in items[at + 1 : at + 2]] == [Kind.UNKNOWN]:
                            raise unused(items, item)
                        self._measure(draft, item, comparator, hint)
                        comparator = hint = None
                        counted = False
                    else:
                        number = item
                case Kind.TIMES:
                    if number is not None:
                        check_whole(items, number, at, apart=True)
                    times = item if item.entry.value else number
                    if times is not None:
                        self._count(draft, comparator, times)
                        counted = True
                    number = comparator = None
                case Kind.COMPARATOR:
                    postfix = item.words.startswith("or ")
                    if postfix and counted and number is None:
                        self._recount(draft, Op(item.entry.text))
                    elif postfix and number is None and draft.where:
                        where, words, old = draft.where[-1]
                        draft.where[-1] = where, words, replace(old, op=Op(item.entry.text))
                        self._guesses = [g for g in self._guesses if g.words != words]
                    else:
                        comparator = item
                case Kind.MEASURE:
                    self._measure(draft, item, comparator, hint)
                    comparator = hint = None
                    counted = False
                case Kind.QUANTITY | Kind.LASTING | Kind.WITHIN:
                    hint = item
                case Kind.ON | Kind.FROM | Kind.BETWEEN:
                    link = item.kind
                case Kind.HEIGHT:
                    draft.height = item
                case Kind.OR:
                    joined = True
                case _:
                    pass
        if colors:
            draft.people.append(_Named(Who((), colors), " or ".join(colors), len(items)))
        if number is not None:
            raise unused(items, number)
        return draft

    def _is_noun(self, items: Sequence[Item], at: int) -> bool:
        before = at - 1
        while before >= 0 and items[before].kind in (Kind.COLOR, Kind.UNKNOWN):
            before -= 1
        led = before >= 0 and items[before].kind in (Kind.ARTICLE, Kind.NUMBER)
        return led or items[at].words.endswith(_NOUN_ENDINGS)

    def _count(self, draft: _Draft, comparator: Item | None, number: Item) -> None:
        if draft.count is not None:
            raise counted_twice(number.words)
        value = whole(number)
        if comparator is not None:
            draft.count = Op(comparator.entry.text), value
        elif value == 0:
            draft.count = Op.EQ, 0
        elif value > 1:
            draft.count = Op.GE, value
            self._guesses.append(Guess(number.words, f"at least {value}"))

    def _recount(self, draft: _Draft, op: Op) -> None:
        """Apply "or more", "or fewer" to the count before it."""
        number = 1 if draft.count is None else draft.count[1]
        draft.count = op, number
        self._guesses = [g for g in self._guesses if g.meaning != f"at least {number}"]

    # What is measured

    def _measure(
        self, draft: _Draft, item: Item, comparator: Item | None, hint: Item | None
    ) -> None:
        owner = max(len(draft.events) - 1, 0)
        draft.where.append((owner, item.words, Compare("", Op.GE, item.entry.value)))
        where, words, compare = draft.where[-1]
        if hint is not None and hint.kind is Kind.QUANTITY:
            name = in_unit(hint, item)
        elif hint is not None and hint.kind is Kind.LASTING and item.unit == "s":
            name = "duration_s"
        else:
            name = f"?{item.unit}"
        op = Op.GE
        if comparator is not None:
            op = Op(comparator.entry.text)
            if op is Op.LT and item.entry.value == 0:
                raise InputError(
                    f"nothing measures less than {words}; ask for less than a number above 0"
                )
        elif hint is not None and hint.kind is Kind.WITHIN:
            op = Op.LE
        elif name != "duration_s":
            self._guesses.append(Guess(words, f"at least {words}"))
        draft.where[-1] = where, words, replace(compare, quantity=name, op=op)

    def _with_where(self, event: Event, number: int, draft: _Draft) -> Event:
        where: list[Compare] = []
        for owner, words, compare in draft.where:
            if owner != number:
                continue
            name = compare.quantity
            if name.startswith("?"):
                unit = name[1:]
                name = QUANTITY_OF.get(event.type, {}).get(unit, "")
                name = name or ("duration_s" if unit == "s" else "")
            if name:
                where.append(replace(compare, quantity=name))
            else:
                self._ignored.append(words)
        height = draft.height
        if height is not None and event.type in ("fall", "rise"):
            if not any(c.quantity in ("height_m", "height_px") for c in where):
                least = height.entry.value
                where.append(Compare("height_m", Op.GT, least))
                self._guesses.append(Guess(height.words, f"height more than {least:g} m"))
        elif height is not None and number == len(draft.events) - 1:
            self._ignored.append(height.words)
        return replace(event, where=tuple(where))

    # Who takes part

    def _with_roles(
        self,
        event: Event,
        items: Sequence[Item],
        at: int,
        noun: bool,
        draft: _Draft,
        *,
        is_last: bool,
    ) -> Event:
        if event.type in PAIR_TYPES:
            return self._with_pair(event, at, noun, draft)
        before = [p for p in draft.people if p.at < at]
        after = [p for p in draft.people if p.at > at]
        relative = at > 0 and items[at - 1].words in _RELATIVE and draft.events[0][0] < at
        second_role = SECOND_ROLE.get(event.type)
        hidden = second_role == "occluder"
        second = next((p for p in after if p.after is Kind.ON and is_last), None)
        if second is None and hidden and before and after and is_last:
            second = after[0]
        direct = [p for p in after if p is not second and p.after is None and not p.place]
        subject = direct[0] if direct else (before[-1 if relative else 0] if before else None)
        roles: list[tuple[str, Who]] = []
        if subject is not None:
            roles.append(("object", self._introduce(subject)))
            if subject.number > 1 or subject.op is not None:
                if draft.count is not None:
                    raise counted_twice(subject.number_words)
                draft.count = self._people_count(subject)
        elif self._subject is not None and not noun:
            roles.append(("object", Who(name=self._subject)))
        if second is not None and second_role is not None:
            roles.append((second_role, self._name(second)))
        if is_last:
            used = (subject, second if second_role is not None else None)
            shared = draft.events[0][0] != at
            left = [p for p in draft.people if p not in used and not (shared and p.at < at)]
            self._ignored += [p.words for p in left if p.who != Who() and not p.place]
        return replace(event, roles=tuple(roles))

    def _with_pair(self, event: Event, at: int, noun: bool, draft: _Draft) -> Event:
        people = [p for p in draft.people if p.after is not Kind.FROM]
        before = [p for p in people if p.at < at]
        verb_alone = not before and not noun and self._subject is not None
        both = [p.number == 2 or p.after is Kind.BETWEEN for p in people]
        if both == [True] and not verb_alone:
            whom = people[0]
            first, second = self._introduce(whom), whom.who
        elif verb_alone and len(people) < 2:
            first, second = Who(name=self._subject), self._name(people[0]) if people else Who()
        else:
            first = self._introduce(people[0]) if people else Who()
            second = self._name(people[1]) if len(people) > 1 else Who()
        self._ignored += [p.words for p in people[2:] if p.who != Who()]
        self._ignored += [p.number_words for p in people if p.number > 2]
        if event.type == "collide" and any(p.place for p in people[:2]):
            place = next(p.words for p in people[:2] if p.place)
            self._guesses.append(Guess(place, f"touches the {STATIC_LABEL} world"))
            event = Event("contact")
        return replace(event, roles=(("a", first), ("b", second)))

    def _with_doing(self, event: Event, items: Sequence[Item], at: int, draft: _Draft) -> Event:
        """Who does it is said before the verb, to whom after it, unless the verb turns them."""
        verb = items[at].words
        before = [p for p in draft.people if p.at < at and p.after is not Kind.FROM]
        after = [p for p in draft.people if p.at > at and p.after is None]
        said = first, second = DOING[event.type]
        if is_turned_round(verb, items[at - 1].words if at else ""):
            first, second = second, first
        if event.type == "support" and after and after[0].place:
            self._guesses.append(Guess(verb, "does not move"))
            event, first, second = Event("still"), "object", ""
        roles: list[tuple[str, Who]] = []
        if before:
            roles.append((first, self._introduce(before[0])))
        elif self._subject is not None:
            roles.append((first, Who(name=self._subject)))
        if after and second:
            roles.append((second, self._name(after[0])))
        roles.sort(key=lambda pair: pair[0] == said[1])
        used = (*before[:1], *after[:1])
        self._ignored += [
            p.words for p in draft.people if p not in used and p.who != Who() and not p.place
        ]
        self._ignored += [p.number_words for p in draft.people if p.number_words]
        return replace(event, roles=tuple(roles))

    def _introduce(self, named: _Named) -> Who:
        """Name somebody and make them the subject of verbs that come without one."""
        who = self._name(named)
        self._subject = who.name
        return who

    def _name(self, named: _Named) -> Who:
        if not named.name:
            self._num_names += 1
            named.name = f"object {self._num_names}"
            self._known.append(named)
        return replace(named.who, name=named.name)

    def _known_name(self, who: Who) -> str:
        """The name of whom "the box" means: the last box that was mentioned."""
        for named in reversed(self._known):
            alike = bool(who.labels) and named.who.labels == who.labels
            if alike and who.colors in ((), named.who.colors):
                return named.name
        return ""

    def _people_count(self, named: _Named) -> tuple[Op, int]:
        if named.op is not None:
            return named.op, named.number
        self._guesses.append(Guess(named.number_words, f"at least {named.number}"))
        return Op.GE, named.number

    def _counted(self, event: Event, draft: _Draft) -> Query:
        return event if draft.count is None else Count(event, *draft.count)


def _is_definite(items: Sequence[Item], at: int) -> bool:
    before = at - 1
    while before >= 0 and items[before].kind is Kind.COLOR:
        before -= 1
    return before >= 0 and items[before].words in ("the", "this", "that", "same")


def _who(item: Item, colors: tuple[str, ...]) -> Who:
    labels = tuple(item.entry.text.split()) if item.kind in (Kind.NOUN, Kind.PLACE) else ()
    return Who(labels, colors)
