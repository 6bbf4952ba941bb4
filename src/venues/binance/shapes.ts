/**
 * The fields of each stream, in the combined form `{"stream", "data"}`.
 *
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams,
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 */

import { type Shape, shape } from '../shape.ts'

const EVENT = 'stream:s data.e:s data.E:n data.s:s'
const LEVELS = 'data.b[][]:s data.a[][]:s'
const TICKER =
  'data.p:s data.P:s data.w:s data.c:s data.Q:s data.o:s data.h:s data.l:s data.v:s data.q:s data.O:n data.C:n data.F:n data.L:n data.n:n'
const TRADE = `${EVENT} data.p:s data.q:s data.T:n data.m:b`
const AGGREGATE = `${TRADE} data.a:n data.f:n data.l:n`
const SPOT_DEPTH = shape(`${EVENT} data.U:n data.u:n ${LEVELS}`)

export const SPOT_SHAPES: Readonly<Record<string, Shape>> = {
  trade: shape(`${TRADE} data.t:n data.M:b`),
  aggTrade: shape(`${AGGREGATE} data.M:b`),
  ticker: shape(`${EVENT} ${TICKER} data.x:s data.b:s data.B:s data.a:s data.A:s`),
  bookTicker: shape('stream:s data.u:n data.s:s data.b:s data.B:s data.a:s data.A:s'),
  'depth@100ms': SPOT_DEPTH,
  depth: SPOT_DEPTH,
}

/** Since COIN-M came into the same architecture (2026-06-30), streams name the market `st` and the pair `ps`. */
const USDM = 'data.st:n? data.ps:s?'
const USDM_DEPTH = shape(`${EVENT} data.T:n data.U:n data.u:n data.pu:n ${LEVELS} ${USDM}`)

export const USDM_SHAPES: Readonly<Record<string, Shape>> = {
  aggTrade: shape(`${AGGREGATE} data.nq:s? ${USDM}`),
  trade: shape(`${TRADE} data.t:n data.X:s ${USDM}`),
  ticker: shape(`${EVENT} ${TICKER} ${USDM}`),
  bookTicker: shape(`${EVENT} data.u:n data.b:s data.B:s data.a:s data.A:s data.T:n ${USDM}`),
  'depth@100ms': USDM_DEPTH,
  depth: USDM_DEPTH,
  'depth@500ms': USDM_DEPTH,
}
