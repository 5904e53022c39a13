"""Which requests bring home the wanted registers: few of them, within the meter's limits, and no two of one length. Pure.

Why unequal lengths: an answer that comes too late for its own request must not fit another one's (decision 11).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from edge_collector.profile import IdentitySpec, Limits, LoadProfileSpec, Profile, RegisterSpec, ScaleSpec, Span
from edge_collector.reading import Priority

Wanted = RegisterSpec | IdentitySpec | ScaleSpec
"""What a request is made for; each has a `span`."""


class UnableToPlan(Exception):
    """The meter's limits leave no room for blocks of unequal lengths; the message names the profile and the block."""


@dataclass(frozen=True, slots=True)
class Request:
    """Read `count` registers of `function` from `address`; in the answer stand `registers`, `identity` and `scales`."""

    function: int
    address: int
    count: int
    registers: tuple[RegisterSpec, ...] = ()
    identity: tuple[IdentitySpec, ...] = ()
    scales: tuple[ScaleSpec, ...] = ()

    @property
    def span(self) -> Span:
        return Span(self.function, self.address, self.count)

    def words_of(self, wanted: Wanted, words: Sequence[int]) -> tuple[int, ...]:
        """Those of the answer that belong to one of its registers. ValueError when the answer is not as long as was asked."""
        if len(words) != self.count:
            raise ValueError(f"{len(words)} words came, {self.count} were asked for")
        start = wanted.span.address - self.address
        return tuple(words[start : start + wanted.span.count])


@dataclass(frozen=True, slots=True)
class Plan:
    """The requests of one unit, each kind in order of address; all lengths differ, also between the kinds."""

    billing: tuple[Request, ...]
    telemetry: tuple[Request, ...]
    identity: tuple[Request, ...]

    def __iter__(self) -> Iterator[Request]:
        """Billing first, identity last."""
        return iter(self.billing + self.telemetry + self.identity)


def plan(profile: Profile, wanted: Collection[str] | None = None) -> Plan:
    """For the registers of these names (null: all), the serial number and the scale registers. A `blocks` profile is planned
    after `at_index`. KeyError for a name that the profile does not have; UnableToPlan when the limits do not allow it."""
    registers = profile.registers if wanted is None else tuple(profile.register(name) for name in dict.fromkeys(wanted))
    scales = {spec.scale_register for spec in registers if spec.scale_register is not None}
    kinds: tuple[list[Wanted], ...] = (
        [*profile.identity, *scales],
        [spec for spec in registers if spec.priority is Priority.BILLING],
        [spec for spec in registers if spec.priority is Priority.TELEMETRY],
    )
    merged = [list(_merged(kind, profile.limits)) for kind in kinds]
    spread = iter(_with_unequal_lengths([one for kind in merged for one in kind], profile))
    identity, billing, telemetry = (tuple(next(spread) for _ in kind) for kind in merged)
    return Plan(billing, telemetry, identity)


def entry_request(load_profile: LoadProfileSpec, boundary_ms: int) -> Request:
    """The place of the meter's load profile where the total at this boundary stands; the answer is for `words.decode_entry`.

    ValueError for an instant that is no boundary of the load profile.
    """
    boundary_s, rest = divmod(boundary_ms, 1000)
    slot, off_grid = divmod(boundary_s, load_profile.interval_s)
    if rest or off_grid:
        raise ValueError(f"{boundary_ms} ms is no boundary of {load_profile.interval_s} s")
    place = slot % load_profile.entries
    return Request(load_profile.function, load_profile.address + place * load_profile.stride, load_profile.stride)


def _merged(wanted: Iterable[Wanted], limits: Limits) -> Iterator[Request]:
    """Neighbours together, as long as the block stays within the limits."""
    current: Request | None = None
    for one in sorted(wanted, key=lambda one: (_least(one).function, _least(one).address, _least(one).count)):
        grown = current and _grown(current, one, limits)
        if grown:
            current = grown
            continue
        if current is not None:
            yield current
        current = _holding(Request(*_span_fields(_least(one))), one)
    if current is not None:
        yield current


def _grown(request: Request, one: Wanted, limits: Limits) -> Request | None:
    """The request with one more in it; null when it must not be so large."""
    span = _least(one)
    if request.span == span or (request.span.covers(span) and not _is_fixed(request)):
        return _holding(request, one)
    if _is_fixed(request) or _fixed_block(one) or request.function != span.function:
        return None
    together = Span(request.function, request.address, max(request.span.end, span.end) - request.address)
    if span.address - request.span.end > limits.gap or _rounded(together.count, limits) > limits.most_words:
        return None
    if not limits.may_touch(together):
        return None
    return _holding(replace(request, count=together.count), one)


def _with_unequal_lengths(requests: list[Request], profile: Profile) -> list[Request]:
    """Each as long as it must be or a little longer. Blocks that cannot be padded choose first, then identities, which stand alone among
    addresses that may not exist, then billing; of a kind the short ones."""
    taken: set[int] = set()
    chosen: dict[int, Request] = {}
    for index in sorted(range(len(requests)), key=lambda at: _choosing_order(requests[at])):
        request = requests[index]
        padded = next(_paddings(request, profile.limits, taken), None)
        if padded is None:
            raise UnableToPlan(f"{profile.name}: no free length for the block of {request.count} at {request.address}")
        taken.add(padded.count)
        chosen[index] = padded
    return [chosen[index] for index in range(len(requests))]


def _choosing_order(request: Request) -> tuple[bool, int, int, int, int]:
    is_billing = any(spec.priority is Priority.BILLING for spec in request.registers)
    kind = 0 if not request.registers else 1 if is_billing else 2
    return not _is_fixed(request), kind, request.count, request.function, request.address


def _paddings(request: Request, limits: Limits, taken: Collection[int]) -> Iterator[Request]:
    """The request in all allowed lengths, shortest first; words are added behind it, or before it where there is no room."""
    if _is_fixed(request):
        if request.count not in taken:
            yield request
        return
    for count in range(_rounded(request.count, limits), limits.most_words + 1, limits.multiple_of):
        if count in taken:
            continue
        for before in range(0, count - request.count + 1, limits.multiple_of):
            address = request.address - before
            if address >= 0 and limits.may_touch(Span(request.function, address, count)):
                yield replace(request, address=address, count=count)


def _rounded(count: int, limits: Limits) -> int:
    """Up to a length that the meter allows."""
    return -(-count // limits.multiple_of) * limits.multiple_of


def _fixed_block(one: Wanted) -> Span | None:
    return one.block if isinstance(one, IdentitySpec) else None


def _is_fixed(request: Request) -> bool:
    """Whether the meter gives these words only in a block of exactly this extent."""
    return any(spec.block for spec in request.identity)


def _least(one: Wanted) -> Span:
    """The shortest read in which the wanted words come."""
    return _fixed_block(one) or one.span


def _holding(request: Request, one: Wanted) -> Request:
    match one:
        case RegisterSpec():
            return replace(request, registers=(*request.registers, one))
        case IdentitySpec():
            return replace(request, identity=(*request.identity, one))
        case ScaleSpec():
            return replace(request, scales=(*request.scales, one))


def _span_fields(span: Span) -> tuple[int, int, int]:
    return span.function, span.address, span.count
