import { describe, expect, test } from 'vitest'
import { deribitSim } from '../../src/sim/deribit.ts'
import { tickDirection } from '../../src/sim/deribit-rows.ts'
import { BOOK, type BookData, BTC, ClientBook, notifications, numbers, PATH, subscribe } from './deribit-client.ts'
import { type Message, type Stage, stage } from './fake-peer.ts'

describe('deribit trades, tickers and quotes', () => {
  test('trades come in arrays, every fill once, the same as from REST', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channel = `trades.${BTC}.100ms`
    subscribe(client, channel)
    const fills = Array.from({ length: 40 }, () => [venue.market.step(BTC), venue.step(BTC)])
      .flat()
      .flatMap(({ trades }) => trades)
    const batches = notifications<Message[]>(client.take(), channel)
    expect(batches.length).toBeLessThanOrEqual(40)
    expect(batches.flat()).toMatchObject(
      fills.map(({ id, price, quantity, side, timeMs }) => ({
        trade_seq: id,
        price: Number(price),
        amount: Number(quantity),
        contracts: Number(quantity) / 10,
        direction: side,
        timestamp: timeMs,
      })),
    )
    expect(batches.flat().every(({ trade_id, trade_seq }) => trade_id !== String(trade_seq))).toBe(true)
    const query = `start_seq=${fills[0]?.id}&count=1000&sorting=asc`
    const answer = venue.get(`/api/v2/public/get_last_trades_by_instrument?instrument_name=${BTC}&${query}`)
    expect(answer.body.result).toEqual({ trades: batches.flat(), has_more: false })
  })

  test('tick direction: 0 up, 1 and 3 unchanged, 2 down', () => {
    const prices = ['5', '6', '6', '5', '5', '6']
    let before: Parameters<typeof tickDirection>[1]
    const directions = prices.map((price) => {
      before = { price, direction: tickDirection(price, before) }
      return before.direction
    })
    expect(directions).toEqual([1, 0, 1, 2, 3, 0])
  })

  test('tickers and quotes show the true best levels; options have greeks', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const option = 'BTC-25JUN27-100000-C'
    subscribe(client, `ticker.${BTC}.100ms`, `quote.${BTC}`, `ticker.${option}.100ms`)
    for (let i = 0; i < 10; i++) venue.step(BTC, 0)
    const quotes = notifications<Message>(client.take(), `quote.${BTC}`)
    venue.clock.advance(100)
    const tickers = notifications<Message>(client.take(), `ticker.${BTC}.100ms`)
    const { bids, asks } = venue.market.book(BTC)
    const best = { best_bid_price: Number(bids[0]?.[0]), best_ask_price: Number(asks[0]?.[0]) }
    expect(quotes.length).toBeGreaterThan(3)
    expect(quotes.at(-1)).toMatchObject(best)
    expect(tickers).toHaveLength(1)
    expect(tickers[0]).toMatchObject({ ...best, state: 'open', last_price: Number(venue.market.stats(BTC).last) })
    expect(tickers[0]).not.toHaveProperty('greeks')
    expect(client.frames.find((frame) => frame.includes(`"channel":"ticker.${option}`))).toContain('"gamma":2.11e-05,')
  })
})

describe('deribit REST', () => {
  const target = (method: string, query = '') => `/api/v2/public/${method}?${query}`

  test('has no id, and errors with HTTP 400', () => {
    const venue = stage(deribitSim)
    expect(venue.get(target('get_time')).text).toBe(
      '{"jsonrpc":"2.0","result":1790000000000,"usIn":1790000000000000,"usOut":1790000000000000,"usDiff":0,"testnet":false}',
    )
    expect(venue.get(target('dance'))).toMatchObject({ status: 400, body: { error: { code: -32601 } } })
    expect(venue.get(target('subscribe'))).toMatchObject({ status: 400, body: { error: { code: -32601 } } })
    expect(venue.get(target('ticker', 'instrument_name=NOPE'))).toMatchObject({
      status: 400,
      body: { error: { code: 13020 } },
    })
    expect(
      venue.exchange.rest({ method: 'GET', path: '/x', query: new URLSearchParams(), headers: {}, client: '' }),
    ).toEqual({
      status: 404,
      body: '',
    })
  })

  test('lists instruments by currency and kind', () => {
    const venue = stage(deribitSim)
    const rows = (query: string) => venue.get(target('get_instruments', query)).body.result as Message[]
    const names = (query: string) => rows(query).map((row) => row.instrument_name)
    expect(names('currency=any')).toHaveLength(6)
    expect(names('currency=BTC&kind=future')).toEqual([BTC, 'BTC-25JUN27'])
    expect(names('currency=BTC&kind=option')).toEqual(['BTC-25JUN27-100000-C'])
    expect(names('currency=USDC&kind=spot')).toEqual(['BTC_USDC'])
    expect(names('currency=ETH')).toEqual(['ETH-PERPETUAL'])
    expect(names('currency=any&expired=true')).toEqual([])
    expect(venue.get(target('get_instruments', 'currency=DOGE')).status).toBe(400)
    const text = venue.get(target('get_instruments', 'currency=BTC')).text
    expect(text).toContain('"instrument_type":"reversed","expiration_timestamp":32503708800000,')
    expect(text).toContain('"tick_size":0.5,"contract_size":10.0,')
    expect(text).toContain('"option_type":"call","strike":100000.0,')
  })

  test('the order book of the moment has the truth, and a lagging one what the stream had', () => {
    const now = stage(deribitSim)
    now.step(BTC)
    const ask = (venue: Stage, depth: number) =>
      venue.get(target('get_order_book', `instrument_name=${BTC}&depth=${depth}`)).body.result as unknown as BookData
    const answer = ask(now, 10_000)
    expect(answer.bids).toEqual(numbers(now.market.book(BTC).bids))
    expect(ask(now, 5).bids).toHaveLength(5)

    const lagging = stage(deribitSim, { snapshotLagMsMax: 400 })
    const client = lagging.connect(PATH)
    subscribe(client, BOOK)
    const book = new ClientBook()
    for (let i = 0; i < 10; i++) lagging.step(BTC)
    // The fake draws 0.5: 200 ms, two changes ago.
    for (const data of notifications<BookData>(client.take(), BOOK).slice(0, -2)) book.apply(data)
    const past = ask(lagging, 10_000)
    expect(past.change_id).toBe(book.last)
    expect(past.bids).toEqual(book.sorted('bids'))
  })

  test('pages trades by sequence, count and order', () => {
    const venue = stage(deribitSim)
    for (let i = 0; i < 50; i++) venue.step(BTC)
    const truth = venue.market.trades(BTC).map(({ id }) => id)
    const page = (query: string) => {
      const answer = venue.get(target('get_last_trades_by_instrument', `instrument_name=${BTC}&${query}`))
      const { trades, has_more } = answer.body.result as { trades: { trade_seq: number }[]; has_more: boolean }
      return [trades.map(({ trade_seq }) => trade_seq), has_more]
    }
    expect(page('')).toEqual([truth.slice(-10).toReversed(), true])
    const [start = 0, end = 0] = [truth[5], truth[24]]
    expect(page(`start_seq=${start}&end_seq=${end}&count=100&sorting=asc`)).toEqual([truth.slice(5, 25), false])
    expect(page(`start_seq=${start}&end_seq=${end}&count=7&sorting=asc`)).toEqual([truth.slice(5, 12), true])
    expect(page(`start_seq=${start}&end_seq=${end}&count=7`)).toEqual([truth.slice(18, 25).toReversed(), true])
    expect(venue.get(target('get_last_trades_by_instrument', `instrument_name=${BTC}&count=1001`)).status).toBe(400)
  })
})
