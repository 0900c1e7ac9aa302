"""Reading one clause: its events, who takes part in which role, and the measured conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from worldline.retrieval.bursts import near_in_time, of_motion
from worldline.retrieval.conditions import Compare
from worldline.retrieval.draft import Draft, Said, draft
from worldline.retrieval.mentions import Mentions, Named
from worldline.retrieval.query import (
    PAIR_TYPES,
    And,
    Count,
    Event,
    Op,
    Query,
    Relate,
    Relation,
    Then,
    Who,
)
from worldline.retrieval.remarks import Remarks
from worldline.retrieval.rows import STATIC_LABEL
from worldline.retrieval.sizes import count_swings, take_window, tell_times, with_sizes
from worldline.retrieval.standing import (
    EACH_OTHER,
    another,
    is_attribute,
    is_handler,
    is_joined,
    is_relative,
    is_support,
    word,
)
from worldline.retrieval.used import counted_twice
from worldline.retrieval.verbs import (
    BEING,
    CAUSED,
    COUNTED,
    DOING,
    GROUPS,
    HANDLED,
    SECOND_ROLE,
    TO_ANOTHER,
    is_participle,
    is_turned_round,
)
from worldline.retrieval.vocabulary import MOVING, Kind
from worldline.retrieval.words import Item

__all__ = ["Reader"]

_ABOUT = ("on", "onto", "on top of", "along", "upon", "at", "in", "down", "off", "out of", "behind")
"""Prepositions after which a place is where two things meet, not one of the two."""


class Reader:
    """Reads the clauses of one sentence in order, and remembers subjects and remarks."""

    def __init__(self) -> None:
        self.mentions = Mentions()
        self.remarks = Remarks()
        self.several = False

    def clause(self, items: Sequence[Item]) -> Query:
        """The query of one clause, which holds at least one event.

        Raises:
            InputError: a number is not used whole, a count is no whole number or given twice,
                limits exclude each other, or an event has no such measure.
        """
        said = draft(items, self.mentions)
        self.remarks.add(said.guesses)
        return _Casting(items, said, self).query()


class _Casting:
    """Who takes which role in the events of one clause."""

    def __init__(self, items: Sequence[Item], said: Draft, reader: Reader) -> None:
        self._items, self._said = items, said
        self._mentions, self._remarks = reader.mentions, reader.remarks
        self._several = reader.several
        self._used: list[Named] = []
        self._met: list[Event] = []
        self._subject: Named | None = None
        self._had_subject = False

    def query(self) -> Query:
        """All events of the clause; the count is the last one's."""
        events: list[Event] = []
        self._follow_it()
        early = self._said.count is not None
        window_s = take_window(self._said, self._remarks)
        count_swings(self._said)
        for number, event in enumerate(self._said.events):
            event = with_sizes(self._roles(number, event), number, self._said, self._remarks)
            tell_times(event, number, self._said, self._remarks, several=self._several)
            events.append(event)
        parts: list[Query] = [
            of_motion(event) if said.item.entry == MOVING else event
            for event, said in zip(events, self._said.events, strict=True)
        ]
        others = self._others(events)
        if others and self._said.count is None:
            if self._said.at_once and len(others) == 1:
                return Relate(events[0], Relation.WHILE, others[0])
            parts += others
        for named in self._said.people:
            unused = not any(named is used for used in self._used)
            if unused and named.who != Who():
                self._remarks.drop(named.words)
        if self._said.at_once and self._said.count == (Op.GE, 2):
            parts[-1] = Relate(parts[-1], Relation.WHILE, another(events[-1]))
            self._remarks.withdraw("at least 2")
        elif window_s is not None and self._said.count == (Op.GE, 2):
            again = events[-1] if self._said.is_repeated else another(events[-1])
            self._remarks.withdraw("at least 2")
            if any(i.words in EACH_OTHER for i in self._items):
                parts[-1] = near_in_time(parts[-1], again, window_s, alike=True)
            else:
                parts[-1] = Then(parts[-1], again, window_s)
        elif self._said.count is not None:
            at = len(events) - 1 if self._said.count_of is None else self._said.count_of
            parts[at] = Count(parts[at], *self._said.count)
            if window_s is not None and not early:
                self._remarks.drop(f"within {window_s:g} s")
        if self._said.at_once and not isinstance(parts[-1], Relate):
            self._remarks.drop("at the same time")
        parts += self._met
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _follow_it(self) -> None:
        """ "A robot lifts a box, later it drops": what is handled is what "it" is then."""
        before = self._items[: self._said.events[0].at]
        told = any(i.kind is Kind.PRONOUN and i.words == "it" for i in before)
        if (
            told
            and self._mentions.handled
            and not any(p.at < len(before) for p in self._said.people)
        ):
            self._mentions.subject = self._mentions.handled
        elif told:
            self._mentions.prefer_described()

    def _others(self, events: Sequence[Event]) -> list[Event]:
        """ "A ball and a box fall": the same event of those who are named beside its subject."""
        said = self._said.events[0]
        if len(events) > 1 or events[0].type in PAIR_TYPES or events[0].type in DOING:
            return []
        before = [p for p in self._said.people if p.at < said.at]
        others = []
        for first, named in pairwise(before):
            between = self._items[first.at + 1 : named.at]
            if any(i.kind is Kind.AND for i in between) and named.link != "between":
                roles = ((r, w) for r, w in events[0].roles if r != "object")
                who = self._name(named)
                if named.number_words and (named.number > 1 or named.op):
                    self._remarks.drop(named.number_words)
                others.append(replace(events[0], roles=(("object", who), *roles)))
        return others

    # Who takes part

    def _roles(self, number: int, said: Said) -> Event:
        event = Event(said.item.entry.text)
        before, after = self._around(number, said)
        if event.type in PAIR_TYPES:
            event = self._pair(event, said, before, after)
        elif event.type in DOING:
            event = self._doing(event, said, before, after)
        else:
            event = self._single(event, said, before, after)
        return event

    def _around(self, number: int, said: Said) -> tuple[list[Named], list[Named]]:
        """Those who may be the event's subject, and those who are named after it."""
        events, people = self._said.events, self._said.people
        start = events[number - 1].at if number else -1
        end = events[number + 1].at if number + 1 < len(events) else len(self._items)
        before = [p for p in people if start < p.at < said.at]
        after = [p for p in people if said.at < p.at < end]
        if number == 0:
            if not before and after and is_attribute(self._items, said, after[0]):
                return [after[0]], [p for p in after[1:] if p.at < end]
            return before, after
        nearest = before[-1:] if before and is_relative(self._items, said, before[-1]) else []
        if nearest:
            return nearest, after
        if self._had_subject and self._subject is not None:
            return [self._subject], after
        return before, after

    def _introduce(self, named: Named) -> Who:
        self._used.append(named)
        self._subject, self._had_subject = named, True
        return self._mentions.introduce(named)

    def _name(self, named: Named) -> Who:
        self._used.append(named)
        if named.name and named.who == Who():
            return Who(name=named.name)
        return self._mentions.name(named)

    def _single(self, event: Event, said: Said, before: list[Named], after: list[Named]) -> Event:
        """An event of one object, perhaps with what it is on or behind."""
        second_role = SECOND_ROLE.get(event.type)
        hidden = second_role == "occluder"
        at_verb = word(self._items, said.at - 1).split()[-1:]
        passive = {*at_verb, said.item.words.split()[0]} & BEING != set()
        if hidden:
            second = next((p for p in after if p.link == "behind"), None)
            second = second or (after[0] if after and (before or passive) else None)
        elif event.type == "fall":
            landed = (p for p in after if p.link in ("on", "onto", "on top of", "upon", "to"))
            second = next(landed, None)
        else:
            second = next((p for p in after if is_support(p)), None)
        free = [p for p in after if p is not second and not p.is_place]
        between = self._items[: said.at] if not before else ()
        has_pronoun = any(i.kind is Kind.PRONOUN for i in between)
        is_noun = said.is_noun or not (before or has_pronoun)
        if has_pronoun:
            free = [p for p in free if not is_joined(self._items, said, p)]
        links = ("", "of", "in", "between", "by") if is_noun else ("", "of", "in", "between")
        direct = [p for p in free if p.link in links]
        if event.type in TO_ANOTHER and not said.is_noun and (second or not hidden):
            plain = [p for p in after if p.link == "" and p.at == self._next_thing(said)]
            doer = [p for p in after if p.link == "by"]
            if before and plain and not passive:
                before, second = plain, before[0]
            elif doer and (before or passive) and (passive or is_participle(said.item.words)):
                second = doer[0]
            direct = [p for p in direct if p is not second and p not in before]
            second = second if second_role else None
        caused = event.type in CAUSED and not passive
        subject = before[0] if before else None
        if direct and (is_noun or caused):
            subject = direct[0]
        roles: list[tuple[str, Who]] = []
        if subject is not None:
            unnamed = not subject.name
            had = self._had_subject and before and before[0] is not subject
            roles.append(("object", self._introduce(subject)))
            if had and unnamed:
                self._subject = before[0]
            if event.type in GROUPS:
                event = replace(event, where=self._size_of_group(subject))
            else:
                self._count_people(subject)
        elif self._mentions.subject is not None and not said.is_noun:
            roles.append(("object", Who(name=self._mentions.subject)))
        if second is not None and second_role is not None:
            roles.append((second_role, self._name(second)))
        return replace(event, roles=tuple(roles))

    def _next_thing(self, said: Said) -> int:
        """Where the first thing after an event is named."""
        return min((p.at for p in self._said.people if p.at > said.at), default=-1)

    def _pair(self, event: Event, said: Said, before: list[Named], after: list[Named]) -> Event:
        people = [p for p in (*before, *after) if p.link != "from"]
        things = [p for p in people if not p.is_place]
        if len(things) > 1:
            people = things
        else:
            crosses = event.type == "cross"  # "a person crosses the road" meets nobody there
            people = [p for p in people if not p.is_place or not (crosses or p.link in _ABOUT)]
        alone = not before and not said.is_noun and self._mentions.subject is not None
        met = self._mentions.met
        pair: Named | None = None
        both = [p.number == 2 or p.link == "between" for p in people]
        reciprocal = len(people) == 1 and any(i.words in EACH_OTHER for i in self._items)
        if (both == [True] or reciprocal) and not alone:
            pair = whom = people[0]
            first, second = self._introduce(whom), whom.who
        elif alone and len(people) < 2:
            first = Who(name=self._mentions.subject)
            again = Who() if met is None or met == first.name else Who(name=met)
            second = self._name(people[0]) if people else again
        else:
            first = self._introduce(people[0]) if people else Who()
            second = self._name(people[1]) if len(people) > 1 else Who()
        self._mentions.met = second.name
        for named in people:
            if named.number > 2 or named.op or (named.number > 1 and named is not pair):
                self._remarks.drop(named.number_words)
        if event.type == "collide" and any(p.is_place for p in people[:2]):
            place = next(p.words for p in people[:2] if p.is_place)
            self._remarks.guess(place, f"touches the {STATIC_LABEL} world")
            event = Event("contact")
        return replace(event, roles=(("a", first), ("b", second)))

    def _doing(self, event: Event, said: Said, before: list[Named], after: list[Named]) -> Event:
        """Who does it is said before the verb, to whom after it, unless the verb turns them."""
        verb = said.item.words
        order = first, second = DOING[event.type]
        if said.is_noun and not before:
            return self._doing_noun(event, after)
        at_verb = (word(self._items, said.at - 1).split() or [""])[-1]  # of "who is", "is"
        doer = before[0] if event.type == "contain" and len(before) > 1 else None
        before = before if doer is None else before[-1:]
        links = ("", "by") if event.type in ("put_down", "pour") else ("", "by", "on")
        direct = [p for p in after if p.link in links]
        poured_from = [p for p in after if p.link in ("from", "out of") and event.type == "pour"]
        if poured_from and direct and is_handler(before[:1]):
            before = poured_from  # "a person pours sand out of a cup": the cup pours it
        direct = direct or poured_from
        turned = is_turned_round(verb, at_verb, direct[0].link if direct else "")
        lacks = not direct and not verb.split()[0].endswith("ing")
        turned = turned or (direct == poured_from != [] and not is_handler(before[:1]))
        turned = turned or (lacks and is_turned_round(verb, "is", ""))  # "picked up, then carried"
        turned = turned or (
            is_attribute(self._items, said, *before[:1]) and not verb.endswith("ing")
        )
        if turned:
            first, second = second, first
        if event.type == "support" and direct and direct[0].is_place:
            self._remarks.guess(verb, "does not move")
            event, first, second = Event("still"), "object", ""
        roles: list[tuple[str, Who]] = []
        if before:
            roles.append((first, self._introduce(before[0])))
        elif self._mentions.subject is not None:
            roles.append((first, Who(name=self._mentions.subject)))
        if direct and second:
            roles.append((second, self._name(direct[0])))
            handled = dict(roles).get("object")
            if event.type in HANDLED and handled is not None:
                self._mentions.handled = handled.name
        self._pour_into(event, roles, after)
        roles.sort(key=lambda pair: pair[0] == order[1])
        if doer is not None:
            self._mentions.introduce(doer)  # "a robot puts a ball into a bin, then turns"
        done = (direct if second == order[1] else before)[:1]
        done += direct[:1] if event.type in ("overtake", "follow") else []
        if event.type == "pour" and direct:
            event = replace(event, where=self._size_of_group(direct[0]))
        for named in self._said.people:
            if named in done and event.type in COUNTED:
                self._count_people(named)  # "lifts two boxes" is two events
            elif named.number_words and not event.where:
                self._remarks.drop(named.number_words)
        return replace(event, roles=tuple(roles))

    def _doing_noun(self, event: Event, after: list[Named]) -> Event:
        """ "A push of a box by a robot": the one after "of" has it done to it."""
        doer, done = DOING[event.type]
        roles: list[tuple[str, Who]] = []
        for role, links in ((doer, ("by", "on", "in")), (done, ("of", ""))):
            whom = next((p for p in after if p.link in links), None)
            if whom is not None:
                who = self._introduce(whom) if role == doer else self._name(whom)
                roles.append((role, who))
        self._pour_into(event, roles, after)
        return replace(event, roles=tuple(roles))

    def _pour_into(self, event: Event, roles: list[tuple[str, Who]], after: list[Named]) -> None:
        """ "Pours grains into a bin": a pouring, of what then touches the bin."""
        bin_ = next((p for p in after if p.link in ("into", "in", "onto", "on")), None)
        if event.type != "pour" or bin_ is None:
            return
        poured = dict(roles).get("object")
        if poured is None:
            poured = self._name(Named(Who(), "", -1))
            roles.append(("object", poured))
        self._remarks.guess(bin_.words, "touched by what is poured")
        whose = Who(name=poured.name), self._name(bin_)
        self._met.append(Event("contact", roles=(("a", whose[0]), ("b", whose[1]))))

    def _size_of_group(self, subject: Named) -> tuple[Compare, ...]:
        """ "Three cars converge" is about one event with three of them."""
        if subject.number == 1 and subject.op is None:
            return ()
        if subject.op is None:
            self._remarks.guess(subject.number_words, f"at least {subject.number}")
        return (Compare("num_bodies", subject.op or Op.GE, float(subject.number)),)

    def _count_people(self, subject: Named) -> None:
        """ "Two balls fall" counts falls."""
        if subject.number == 1 and subject.op is None:
            return
        if self._said.count is not None:
            raise counted_twice(subject.number_words)
        op = subject.op
        if op is None:
            op = Op.GE
            self._remarks.guess(subject.number_words, f"at least {subject.number}")
        self._said.count = op, subject.number
