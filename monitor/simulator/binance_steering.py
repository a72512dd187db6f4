"""
I/O. What only Binance does, on demand: `POST /sim/binance/funding`, `/mode`, `/brackets`, ...

`funding` takes `{"account", "symbol", "rate"}` and charges at once; with `seconds` in place of the
account it is the symbol's next funding, for everybody. `mode` takes `{"account", "mode"?,
"position_mode"?}` in the words of a scenario, `brackets` `{"symbol", "rows"}` with rows of
`cap rate leverage`, `listen-key` `{"account"}` and lets that account's keys run out. `open` takes
`{"account", "symbol", "side", "contracts", "leverage"?, "isolated_margin"?}` and opens a position
at the mark, `leverage` `{"account", "symbol", "leverage"}`, `margin` `{"account", "symbol",
"side", "amount"}` into an isolated position, and `force` `{"account", "symbol", "side",
"contracts", "kind"}`: what Binance closes by itself as liquidation, adl, settlement or takeover.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from aiohttp import web

from monitor.simulator import binance_frames as frames
from monitor.simulator.binance_accounts import BinanceAccount, BinanceState
from monitor.simulator.binance_changes import leg_of, move_margin, open_position, set_leverage
from monitor.simulator.binance_forced import force
from monitor.simulator.binance_ledger import ZERO
from monitor.simulator.binance_modes import change_mode
from monitor.simulator.binance_quotes import milliseconds
from monitor.simulator.binance_stream import BinanceStream
from monitor.simulator.binance_tables import brackets
from monitor.simulator.scenario import PositionSpec


class BinanceSteering:
    def __init__(self, state: BinanceState, stream: BinanceStream) -> None:
        self._state = state
        self._stream = stream

    def mount(self, app: web.Application) -> None:
        for name, handler in (
            ("funding", self._funding),
            ("mode", self._mode),
            ("brackets", self._brackets),
            ("listen-key", self._listen_key),
            ("open", self._act(self._open)),
            ("leverage", self._act(self._leverage)),
            ("margin", self._act(self._margin)),
            ("force", self._act(self._force)),
        ):
            app.router.add_post(f"/sim/binance/{name}", handler)

    def _act(
        self, action: Callable[[BinanceAccount, Mapping[str, str]], None]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Give the handler of what is done to one account and told to it at once."""

        async def handle(request: web.Request) -> web.Response:
            words = await _words(request)
            try:
                action(self._state.by_name(words["account"]), words)
            except (KeyError, ValueError, InvalidOperation, StopIteration) as error:
                raise _wrong(error) from error
            self._stream.push_private()
            return web.json_response({"ok": True})

        return handle

    def _open(self, account: BinanceAccount, words: Mapping[str, str]) -> None:
        margin = words.get("isolated_margin")
        spec = PositionSpec(
            symbol=words["symbol"],
            side=words["side"],
            contracts=Decimal(words["contracts"]),
            entry_price=self._state.quotes.mark(words["symbol"]),
            leverage=Decimal(words.get("leverage", "10")),
            isolated_margin=None if margin is None else Decimal(margin),
        )
        open_position(self._state, account, spec)

    def _leverage(self, account: BinanceAccount, words: Mapping[str, str]) -> None:
        set_leverage(self._state, account, words["symbol"], Decimal(words["leverage"]))

    def _margin(self, account: BinanceAccount, words: Mapping[str, str]) -> None:
        leg = leg_of(account, words["symbol"], words["side"])
        move_margin(self._state, account, leg, Decimal(words["amount"]))

    def _force(self, account: BinanceAccount, words: Mapping[str, str]) -> None:
        leg = leg_of(account, words["symbol"], words["side"])
        force(self._state, account, leg, Decimal(words["contracts"]), words["kind"])

    def step(self) -> None:
        """Charge the fundings that are due, to every account."""
        for symbol, rate in self._state.quotes.take_due_funding():
            for account in self._state.accounts:
                self.charge_funding(account.spec.name, symbol, rate)

    async def _funding(self, request: web.Request) -> web.Response:
        words = await _words(request)
        try:
            rate = Decimal(words["rate"])
            if "seconds" in words:
                after = timedelta(seconds=float(words["seconds"]))
                at = self._state.server_time() + after
                self._state.quotes.set_funding(words["symbol"], rate, at)
            else:
                self.charge_funding(words["account"], words["symbol"], rate)
        except (KeyError, ValueError, InvalidOperation, StopIteration) as error:
            raise _wrong(error) from error
        return web.json_response({"ok": True})

    async def _mode(self, request: web.Request) -> web.Response:
        words = await _words(request)
        try:
            owner = self._state.by_name(words["account"])
            change_mode(self._state, owner, words.get("mode"), words.get("position_mode"))
        except (KeyError, ValueError, StopIteration) as error:
            raise _wrong(error) from error
        return web.json_response({"ok": True})

    async def _brackets(self, request: web.Request) -> web.Response:
        words = await _words(request)
        try:
            self.change_brackets(words["symbol"], words["rows"])
        except (KeyError, ValueError, InvalidOperation) as error:
            raise _wrong(error) from error
        return web.json_response({"ok": True})

    async def _listen_key(self, request: web.Request) -> web.Response:
        words = await _words(request)
        try:
            for stream in self._state.by_name(words["account"]).streams.values():
                stream.end_listen_key()
        except (KeyError, StopIteration) as error:
            raise _wrong(error) from error
        return web.json_response({"ok": True})

    def charge_funding(self, account: str, symbol: str, rate: Decimal) -> None:
        """
        Take the funding of an account's legs of a symbol: longs pay a positive rate.

        A cross position is told with `B` alone; an isolated one pays from its own wallet and is
        told with `P`. Source: API documentation, "Event: Balance and Position Update".
        """
        owner = self._state.by_name(account)
        mark = self._state.quotes.mark(symbol)
        at = milliseconds(self._state.server_time())
        every = (*owner.ledger.legs, *owner.coin.legs)
        for leg in [leg for leg in every if leg.symbol.name == symbol]:
            fee = leg.notional(mark) * rate
            asset, book = leg.margin_asset, owner.ledger_of(leg)
            if leg.isolated_wallet is None:
                book.cross_wallets[asset] = book.cross_wallets.get(asset, ZERO) - fee
            else:
                leg.isolated_wallet -= fee
            book.touched_at[asset] = at
            told = (leg,) if leg.is_isolated else ()
            frame = frames.account_update(self._state, book, "FUNDING_FEE", {asset: -fee}, told)
            frame["a"] = {**_table(frame["a"]), "S": symbol}
            owner.tell(frame, book)
            income = owner.income_of(book)
            named = (asset, symbol)
            income.append(frames.income("FUNDING_FEE", -fee, named, at, len(income) + 1))

    def change_brackets(self, symbol: str, rows: str) -> None:
        """Give a symbol other leverage brackets, for open positions too, and announce them."""
        changed = self._state.quotes.change_brackets(symbol, brackets(rows))
        for account in self._state.accounts:
            for leg in (*account.ledger.legs, *account.coin.legs):
                if leg.symbol.name == symbol:
                    leg.symbol = changed
        self._stream.tell_brackets(changed)


def _table(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


async def _words(request: web.Request) -> dict[str, str]:
    try:
        body = await request.json()
    except json.JSONDecodeError as error:
        raise _wrong(error) from error
    if not isinstance(body, dict):
        raise _wrong(TypeError("the body is not a JSON object"))
    return {str(key): str(value) for key, value in body.items()}


def _wrong(error: Exception) -> web.HTTPBadRequest:
    text = json.dumps({"ok": False, "error": f"the body is not as it should be: {error!r}"})
    return web.HTTPBadRequest(text=text, content_type="application/json")
