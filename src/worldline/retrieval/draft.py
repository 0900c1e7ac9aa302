"""What one clause says, in order of its words: events, objects, sizes and counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from worldline.core.errors import InputError
from worldline.retrieval.mentions import Mentions, Named
from worldline.retrieval.plan import Guess
from worldline.retrieval.query import Compare, Op, Who
from worldline.retrieval.units import QUANTITY_OF, unit_of
from worldline.retrieval.used import check_whole, counted_twice, in_unit, unused, whole
from worldline.retrieval.verbs import GROUPS, SECOND_ROLE
from worldline.retrieval.vocabulary import LEXICON, UPRIGHT, Entry, Kind
from worldline.retrieval.words import Item

__all__ = ["Draft", "Said", "draft"]

_OTHER = ("another", "other", "others")
_LINKS = ("by", "of", "with", "into", "to", "at", "in")
_NOUN_ENDINGS = ("ion", "ions", "near miss", "near misses", "accident", "accidents", "call")
_NOUN_ENDINGS += ("calls", "shave", "escape")
_TURNED = {"faster": Op.LT, "quicker": Op.LT, "slower": Op.GT}
_THINGS = (Kind.NOUN, Kind.ANYTHING, Kind.PLACE)


@dataclass
class Said:
    """An event that a clause names, where, and whether by a noun such as "a collision"."""

    at: int
    item: Item
    is_noun: bool


@dataclass
class Draft:
    """What a clause says before it becomes a query.

    Attributes:
        events, people: in order.
        where: number of the event, the words, and a condition; "?m" is a quantity of which only
            the unit is known.
        count: how often an event happens.
        count_of: the number of that event; None for the last one.
        is_repeated: whether that is said by "times", of one and the same object.
        window_s: time within which it is said to happen.
        at_once: whether those who are counted do it at one time.
        height, hard, side: words that stand for a condition by themselves.
        guesses: what was not quite said.
    """

    events: list[Said] = field(default_factory=list)
    people: list[Named] = field(default_factory=list)
    where: list[tuple[int, str, Compare]] = field(default_factory=list)
    count: tuple[Op, int] | None = None
    count_of: int | None = None
    is_repeated: bool = False
    window_s: float | None = None
    at_once: bool = False
    height: Item | None = None
    hard: Item | None = None
    side: Item | None = None
    guesses: list[Guess] = field(default_factory=list)


def draft(items: Sequence[Item], mentions: Mentions) -> Draft:
    """Read a clause word by word.

    Raises:
        InputError: a number is not used whole, or a count is given twice.
    """
    return _Drafter(items, mentions).read()


class _Drafter:
    """The state of reading one clause."""

    def __init__(self, items: Sequence[Item], mentions: Mentions) -> None:
        self._items, self._mentions = items, mentions
        self._draft = Draft()
        self._colors: tuple[str, ...] = ()
        self._number: Item | None = None
        self._comparator: Item | None = None
        self._hint: Item | None = None
        self._link = ""
        self._joined = self._counted = self._only = False

    def read(self) -> Draft:
        """The clause as a draft."""
        for at, item in enumerate(self._items):
            if item.words in _OTHER and self._kind(at + 1) is Kind.NOUN:
                continue
            self._take(at, item)
        if self._colors:
            colors = Who((), self._colors)
            at = len(self._items)
            self._draft.people.append(Named(colors, " or ".join(self._colors), at, link=self._link))
        self._count_last()
        return self._draft

    def _count_last(self) -> None:
        """ "Cars converging, at least 4": a number that ends a clause counts, if it is a limit."""
        number, events = self._number, self._draft.events
        if number is None:
            return
        op = None if self._comparator is None else self._op()
        ratio = QUANTITY_OF.get(events[-1].item.entry.text, {}).get("")
        if ratio and op is not None and number.entry.value < 1:
            limit = Compare(ratio, op, number.entry.value)  # "a bend larger than 0.2"
            self._draft.where.append((len(events) - 1, number.words, limit))
            return
        if op is None or number is not self._items[-1] or self._draft.count is not None:
            raise unused(self._items, number)
        at = next(i for i, item in enumerate(self._items) if item is self._comparator)
        set_off = self._kind(at - 1) in (Kind.AND, Kind.COMMA)
        if not set_off and events[-1].item.entry.text not in GROUPS:
            raise unused(self._items, number)
        if events[-1].item.entry.text in GROUPS:
            limit = Compare("num_bodies", op, float(whole(number)))
            self._draft.where.append((len(events) - 1, number.words, limit))
        else:
            self._count(number)

    def _other(self, at: int) -> str:
        """ "A car that was following a truck overtakes it": the variable of the truck."""
        people = self._draft.people
        if len(people) < 2 or len(self._draft.events) < 2:
            return ""
        people[-1].name = people[-1].name or f"pronoun {at}"
        return people[-1].name

    def _kind(self, at: int) -> Kind | None:
        return self._items[at].kind if 0 <= at < len(self._items) else None

    def _take(self, at: int, item: Item) -> None:
        match item.kind:
            case Kind.EVENT:
                self._take_event(at, item)
            case Kind.COLOR:
                self._colors += (item.entry.text,)
            case Kind.NOUN | Kind.ANYTHING | Kind.PLACE:
                self._take_thing(at, item)
            case Kind.PRONOUN:
                if self._draft.events:
                    name = self._mentions.it() or self._other(at)
                    who = Who() if name or item.words not in ("him", "her") else Who(("person",))
                    it = Named(who, item.words, at, link=self._link, name=name)
                    self._draft.people.append(it)
            case Kind.NAME:
                if self._draft.people:
                    self._draft.people[-1].name = item.entry.text
            case Kind.NUMBER:
                self._take_number(at, item)
            case Kind.TIMES:
                self._take_times(at, item)
            case Kind.COMPARATOR:
                self._take_comparator(item)
            case Kind.MEASURE:
                self._measure(item)
                self._comparator = self._hint = None
                self._counted = False
            case Kind.QUANTITY | Kind.LASTING | Kind.WITHIN:
                self._hint = item
                if item.words == "for":
                    self._link = "for"
            case Kind.ON | Kind.FROM | Kind.BETWEEN:
                self._link = item.words
            case Kind.HEIGHT:
                self._draft.height = item
            case Kind.HARD:
                self._draft.hard = item
            case Kind.SIDE:
                self._draft.side = item
            case Kind.AT_ONCE:
                self._draft.at_once = True
            case Kind.ONLY:
                self._only = True
            case Kind.OR:
                self._joined = True
            case Kind.FILLER if item.words in _LINKS:
                self._link = item.words
            case _:
                pass

    def _take_event(self, at: int, item: Item) -> None:
        self._draft.events.append(Said(at, item, _is_noun(self._items, at)))
        if self._number is not None:
            timed = self._hint is not None and self._hint.kind in (Kind.WITHIN, Kind.LASTING)
            apart = timed or len(self._draft.events) > 1
            check_whole(self._items, self._number, at, apart=apart)
            self._count(self._number)
            self._number = self._comparator = None
        last = item.words.split()[-1]
        led = item.entry.text in SECOND_ROLE and last in LEXICON and last != item.words
        self._link = last if led and LEXICON[last].kind is Kind.ON else ""
        if item.words.endswith("within"):
            self._hint = replace(item, entry=Entry(Kind.WITHIN))

    def _take_thing(self, at: int, item: Item) -> None:
        people = self._draft.people
        who = _who(item, self._colors)
        named = Named(who, item.words, at, is_place=item.kind is Kind.PLACE, link=self._link)
        if self._number is not None:
            check_whole(self._items, self._number, at)
            named.number, named.number_words = whole(self._number), self._number.words
            named.op = self._op()
            if named.op is Op.GE and named.number == 1:
                named.op = None  # "at least one car" is any car
            self._number = self._comparator = None
        if self._joined and people and item.kind is Kind.NOUN:
            before = people[-1].who
            people[-1].who = Who(before.labels + who.labels, before.colors + who.colors)
        else:
            bare = who.labels and named.number == 1 and _is_bare(self._items, at)
            if bare or _is_definite(self._items, at):
                named.name = self._mentions.recall(who)
            people.append(named)
        self._colors, self._joined = (), False
        if self._link != "between":
            self._link = ""

    def _take_number(self, at: int, item: Item) -> None:
        if self._number is not None:
            raise unused(self._items, self._number)
        if self._hint is None or self._hint.kind is not Kind.QUANTITY:
            self._number = item
            return
        if self._kind(at + 1) is Kind.UNKNOWN:
            raise unused(self._items, item)
        self._measure(item)
        if unit := unit_of(self._hint.entry.text):
            said = f"{item.words} {unit.replace('mps', 'm/s').replace('radps', 'rad/s')}"
            self._draft.guesses.append(Guess(item.words, f"read as {said}"))
        self._comparator = self._hint = None
        self._counted = False

    def _take_times(self, at: int, item: Item) -> None:
        if self._number is not None:
            check_whole(self._items, self._number, at, apart=True)
        times = item if item.entry.value else self._number
        if times is not None:
            self._count(times)
            if self._draft.events and self._draft.count is not None:
                self._draft.count_of = len(self._draft.events) - 1
            self._counted = self._draft.is_repeated = True
        self._number = self._comparator = None

    def _take_comparator(self, item: Item) -> None:
        op = Op(item.entry.text)
        if not item.words.startswith("or ") or self._number is not None:
            self._comparator = item
            if item.guessed:
                self._draft.guesses.append(Guess(item.words, item.meaning))
        elif self._counted:
            number = 1 if self._draft.count is None else self._draft.count[1]
            self._draft.count = op, number
            self._forget(meaning=f"at least {number}")
        elif self._draft.where:
            where, words, old = self._draft.where[-1]
            self._draft.where[-1] = where, words, replace(old, op=op)
            self._forget(words=words)
        else:
            self._comparator = item

    def _forget(self, words: str = "", meaning: str = "") -> None:
        """Drop a guess: it was said after all."""
        guesses = self._draft.guesses
        self._draft.guesses = [g for g in guesses if words != g.words and meaning != g.meaning]

    def _op(self) -> Op | None:
        if self._comparator is not None:
            return Op(self._comparator.entry.text)
        return Op.EQ if self._only else None

    def _count(self, number: Item) -> None:
        if self._draft.count is not None:
            raise counted_twice(number.words)
        value, op = whole(number), self._op()
        if op is Op.GE and value == 1:
            pass  # "at least one" is what every query asks for
        elif op is not None:
            self._draft.count = op, value
        elif value == 0:
            self._draft.count = Op.EQ, 0
        elif value > 1:
            self._draft.count = Op.GE, value
            self._draft.guesses.append(Guess(number.words, f"at least {value}"))

    def _measure(self, item: Item) -> None:
        hint, words = self._hint, item.words
        if hint is not None and hint.kind is Kind.QUANTITY:
            name = in_unit(hint, item)
        elif hint is not None and hint.kind is Kind.LASTING and item.unit == "s":
            name = "duration_s"
        else:
            name = f"?{item.unit}{' up' if self._is_height(item) else ''}"
        op = Op.GE
        if self._comparator is not None:
            op = Op(self._comparator.entry.text)
            if item.unit == "s" and self._comparator.words.split()[0] in _TURNED:
                op = _TURNED[self._comparator.words.split()[0]]  # "quicker than 3 s"
            if op is Op.LT and item.entry.value == 0:
                raise InputError(
                    f"nothing measures less than {words}; ask for less than a number above 0"
                )
        elif hint is not None and hint.kind is Kind.WITHIN:
            op = Op(hint.entry.text or Op.LE)
            if item.unit == "s" and name != "duration_s":
                self._draft.window_s = item.entry.value
        elif name != "duration_s":
            self._draft.guesses.append(Guess(words, f"at least {words}"))
        owner = max(len(self._draft.events) - 1, 0)
        self._draft.where.append((owner, words, Compare(name, op, item.entry.value)))

    def _is_height(self, size: Item) -> bool:
        """Whether the words beside a size in metres say that it is measured upwards."""
        at = next(i for i, item in enumerate(self._items) if item is size)
        near = self._items[max(at - 3, 0) : at + 2]
        return size.unit == "m" and any(UPRIGHT & set(item.words.split()) for item in near)


def _is_noun(items: Sequence[Item], at: int) -> bool:
    before = at - 1
    while before >= 0 and items[before].kind in (Kind.COLOR, Kind.UNKNOWN, Kind.HARD, Kind.SIDE):
        before -= 1
    led = before >= 0 and items[before].kind in (Kind.ARTICLE, Kind.NUMBER)
    leads = at + 1 < len(items) and items[at + 1].kind in (*_THINGS, Kind.COLOR)
    return (led and not leads) or items[at].words.endswith(_NOUN_ENDINGS)


def _is_definite(items: Sequence[Item], at: int) -> bool:
    before = at - 1
    while before >= 0 and items[before].kind is Kind.COLOR:
        before -= 1
    return before >= 0 and items[before].words in ("the", "this", "that", "same")


def _is_bare(items: Sequence[Item], at: int) -> bool:
    """Whether a noun stands without any article, as in notes: "ball hits box, then box falls"."""
    before = items[at - 1] if at else None
    plural = items[at].words.endswith("s")
    led = before is not None and before.kind in (Kind.ARTICLE, Kind.COLOR, Kind.NUMBER)
    return not plural and not led and (before is None or before.words not in _OTHER)


def _who(item: Item, colors: tuple[str, ...]) -> Who:
    labels = tuple(item.entry.text.split("|")) if item.kind in (Kind.NOUN, Kind.PLACE) else ()
    return Who(labels, colors)
