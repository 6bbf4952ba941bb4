/** The dashboard in a real browser, on the real service and simulated exchanges: what it shows is what the API says. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import { simVenues } from '../../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../../src/sim/server.ts'
import { type RunningService, startService, until } from '../../helpers/service.ts'
import { type Answer, agree, hasBrowser, launch, type OpenPage, openPage, type Size } from './browser.ts'

const SYMBOLS = {
  binance: ['BTCUSDT', 'ETHUSDT'],
  'binance-usdm': ['BTCUSDT'],
  okx: ['BTC-USDT'],
  deribit: ['BTC-PERPETUAL'],
}
const FEEDS = 20

let simulator: Simulator
let service: RunningService
let browser: Browser

const digits = (text: string): number => Number(text.replaceAll(',', ''))

/** One page for each test, closed behind it; it must have done nothing that it should not. */
async function withPage(size: Size, scheme: 'light' | 'dark', use: (open: OpenPage) => Promise<void>): Promise<void> {
  const open = await openPage(browser, service.url, size, scheme)
  try {
    await open.page.locator('#connection', { hasText: /^Live$/ }).waitFor()
    await use(open)
    expect(open.faults).toEqual([])
  } finally {
    await open.page.context().close()
  }
}

describe.skipIf(!hasBrowser())('in a browser', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 11, rate: 0.4 })
    service = await startService(simulator, SYMBOLS)
    const live = () => service.service.collector.feeds().filter(({ state }) => state === 'live').length
    await until('every feed is live', () => live() === FEEDS, 60_000)
    simulator.control('kill?venue=okx')
    await until('the gaps of a lost connection', () => service.events.some(({ type }) => type === 'gap'), 30_000)
    await until('every feed is live again', () => live() === FEEDS, 60_000)
    browser = await launch()
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
    await simulator?.stop()
  }, 60_000)

  for (const size of ['desk', 'phone'] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      test(`every part is there and fits (${size}, ${scheme})`, () =>
        withPage(size, scheme, async ({ page, picture }) => {
          const { width } = page.viewportSize() ?? { width: 0 }
          await page.locator('#ladder[data-phase="live"]').waitFor()
          await page.locator('#completeness-table tr[data-instrument]').first().waitFor()
          await page.locator('#rates-legend li').first().waitFor()
          for (const name of ['Market', 'Feeds', 'Gaps', 'Operations', 'Overview']) {
            const link = page.getByRole('link', { name, exact: true })
            // What comes meanwhile makes the parts above it longer.
            await agree(`the way to ${name}`, async () => {
              await link.click()
              return { shown: await page.evaluate(inSight(name.toLowerCase())), told: true }
            })
          }
          expect(await page.evaluate('document.scrollingElement.scrollWidth')).toBeLessThanOrEqual(width)
          expect(await page.locator('#simulated').isVisible()).toBe(true)
          await picture(`${size}-${scheme}`)
        }))
    }
  }

  test('the legends keep to their cards at every width', () =>
    withPage('desk', 'light', async ({ page }) => {
      await page.locator('#latency-legend li').first().waitFor()
      for (const width of [390, 1280, 1400, 1920]) {
        await page.setViewportSize({ width, height: 800 })
        expect(await page.evaluate(LEGENDS_TOO_WIDE), `at ${width} px`).toEqual([])
      }
    }))

  test('the figures, venues and charts', () =>
    withPage('desk', 'dark', async ({ page, answers, text, texts }) => {
      const figure = (name: string) => text(`[data-figure="${name}"] .value`)
      const of = (path: string): Answer => answers.get(path)
      await agree('feeds live', async () => {
        const { summary } = of('/api/v1/feeds')
        return { shown: await figure('Feeds live'), told: `${summary.states.live} / ${summary.total}` }
      })
      await agree('books live', async () => ({
        shown: digits(await figure('Books live')),
        told: of('/api/v1/collector/stats').data_summary.orderbooks_count,
      }))
      await agree('records a minute', async () => ({
        shown: digits(await figure('Records/min')),
        told: Math.round(of('/api/v1/collector/stats').performance_metrics.collections_per_minute),
      }))
      await agree('health', async () => ({ shown: await figure('Health'), told: of('/health').status }))
      await agree('open gaps', async () => ({
        shown: digits(await figure('Open gaps')),
        told: of('/api/v1/gaps')?.summary.states.open ?? 0,
      }))
      await agree('version', async () => ({
        shown: (await text('#version')).split(' ')[0],
        told: of('/api/v1/status').version,
      }))
      await agree('states of the venues', async () => {
        const { exchanges } = of('/api/v1/collector/exchanges')
        const told = ['binance', 'binance', 'okx', 'deribit'].map((name) => exchanges[name].status)
        return { shown: await texts('#venues tbody .chip'), told }
      })
      await agree('rates of the venues', async () => {
        const rates = of('/api/v1/activity')?.venues.map((venue: Answer) => venue.messages_per_second.at(-1)) ?? []
        const written = rates.map((rate: number) => (rate < 100 ? rate.toFixed(1) : String(Math.round(rate))))
        return { shown: await texts('#rates-legend b'), told: written }
      })
      await page.getByRole('button', { name: 'Here → stored' }).click()
      await agree('median time to store', async () => {
        const venues: Answer[] = of('/api/v1/activity').venues
        const shown = (await texts('#latency-legend b')).map((words) => words.split(' / ')[0])
        const ms = venues.map((venue) => venue.store_latency_ms.p50.at(-1))
        return {
          shown,
          told: ms.map((value) => (value < 1 ? `${Math.round(value * 1000)} µs` : `${value.toFixed(1)} ms`)),
        }
      })
    }))

  test('the order book, level by level, and the trades', () =>
    withPage('desk', 'light', async ({ page, text, texts }) => {
      for (const [venue, symbol] of [
        ['deribit', 'BTC-PERPETUAL'],
        ['okx', 'BTC-USDT'],
        ['binance', 'ETHUSDT'],
      ] as const) {
        await page.locator('#instrument').selectOption(`${venue}:${symbol}`)
        await page.locator('#ladder[data-phase="live"]').waitFor()
        await agree(`book of ${symbol}`, async () => {
          const [book, shown] = await Promise.all([
            service.get(`/api/v1/orderbook/${venue}/${symbol}?depth=12`),
            ladder(page),
          ])
          const { sequence, bids, asks } = book.data
          return { shown, told: { sequence: String(sequence), asks: asks.toReversed(), bids } }
        })
        await agree(`trades of ${symbol}`, async () => {
          const [{ data }, shown] = await Promise.all([
            service.get(`/api/v1/trades/${venue}/${symbol}?limit=8`),
            texts('#tape li[data-trade]'),
          ])
          const told = data.trades.map(({ price, quantity }: Answer) => `${price}${quantity}`)
          return { shown: shown.slice(0, 8).map((row) => row.replace(/^[\d:.]{12}/, '')), told }
        })
        await agree(`last price of ${symbol}`, async () => {
          const { data } = await service.get(`/api/v1/trades/${venue}/${symbol}?limit=1`)
          return { shown: await text('[data-quote="Last"] dd'), told: data.trades[0].price }
        })
        expect(new URL(page.url()).searchParams.get('instrument')).toBe(`${venue}:${symbol}`)
      }
    }))

  test('the feeds: states, filters, and the choice of an instrument', () =>
    withPage('desk', 'dark', async ({ page, answers, texts }) => {
      const rows = () => texts('#feeds-table tr[data-instrument] .symbol')
      await agree('instruments', async () => ({
        shown: (await rows()).toSorted(),
        told: Object.values(SYMBOLS).flat().toSorted(),
      }))
      await agree('events of BTC-PERPETUAL', async () => {
        const own = answers.get('/api/v1/feeds').feeds.filter(({ symbol }: Answer) => symbol === 'BTC-PERPETUAL')
        const told = own.reduce((sum: number, { events }: Answer) => sum + events, 0)
        const shown = await texts('#feeds-table [data-instrument="deribit:BTC-PERPETUAL"] .events')
        return { shown: digits(shown[0] ?? ''), told }
      })
      await page.locator('#feeds-search').fill('okx btc')
      await agree('a search', async () => ({ shown: await rows(), told: ['BTC-USDT'] }))
      await page.getByRole('button', { name: 'Not live' }).click()
      await agree('nothing is in trouble', async () => ({ shown: await rows(), told: [] }))
      await page.getByRole('button', { name: 'All', exact: true }).click()
      await page.locator('#feeds-table [data-instrument="okx:BTC-USDT"]').click()
      await agree('its feeds', async () => {
        const own = answers.get('/api/v1/feeds').feeds.filter(({ venue }: Answer) => venue === 'okx')
        const told = own.map(({ state, events, resyncs, proof }: Answer) => [state, events, resyncs, proof])
        return { shown: await ownFeeds(page), told }
      })
    }))

  test('gaps, completeness, sinks, health and warnings', () =>
    withPage('desk', 'light', async ({ page, answers, text, texts }) => {
      await page.getByRole('button', { name: '15 min' }).click()
      await agree('gaps', async () => {
        const { gaps = [] } = answers.get('/api/v1/gaps') ?? {}
        const told = gaps
          .slice(0, 5)
          .map((gap: Answer) => [`${gap.venue}:${gap.symbol} ${gap.channel}`, gap.state, gap.cause])
        return { shown: await gapRows(page), told }
      })
      expect(await page.locator('#timeline .track i').count()).toBe(answers.get('/api/v1/gaps').summary.total)
      await agree('completeness', async () => {
        const { feeds = [] } = answers.get('/api/v1/completeness') ?? {}
        const okx = feeds.filter(({ venue }: Answer) => venue === 'okx')
        const told = okx.map((feed: Answer) => `${feed.verifiable ? '' : '≈'}${percent(feed.covered_share)}`)
        return {
          shown: await texts('#completeness-table [data-instrument="okx:BTC-USDT"] .share'),
          told,
        }
      })
      await agree('the sink', async () => {
        const { sinks } = answers.get('/api/v1/sinks')
        const [, waiting, stored] = await texts('[data-sink="lake"] dd')
        return { shown: [digits(waiting ?? ''), digits(stored ?? '')], told: [sinks[0].lag_records, sinks[0].records] }
      })
      await agree('health', async () => {
        const checks = Object.entries<Answer>(answers.get('/health').checks)
        const told = Object.fromEntries(checks.map(([name, { status, result }]) => [name, [status, result]]).toSorted())
        return { shown: await healthRows(page), told }
      })
      await agree('warnings', async () => {
        const { warnings, summary } = answers.get('/api/v1/warnings')
        const told = [
          warnings.map(({ event }: Answer) => event),
          `${summary.warnings} warnings, ${summary.errors} errors since the start`,
        ]
        const shown = await page.evaluate(
          "[...document.querySelectorAll('#warnings li')].map((row) => row.dataset.event)",
        )
        return { shown: [shown, await text('#warnings-note')], told }
      })
    }))

  test('the theme: as the system says, light, dark', () =>
    withPage('desk', 'light', async ({ page }) => {
      const background = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
      const light = await background()
      const button = page.locator('#theme')
      await button.click()
      await agree('light', async () => ({
        shown: [await button.textContent(), await background()],
        told: ['Light', light],
      }))
      await button.click()
      expect([await button.textContent(), await background()]).toEqual(['Dark', 'rgb(11, 15, 20)'])
      await page.reload()
      expect([await button.textContent(), await background()]).toEqual(['Dark', 'rgb(11, 15, 20)'])
    }))

  test('what a venue says is text, whatever it is', () =>
    withPage('desk', 'dark', async ({ page, text }) => {
      const hostile = '<img src=x onerror="document.title=1"><b>bold</b>'
      await page.route('**/api/v1/feeds', async (route) => {
        const body = await (await route.fetch()).json()
        body.data.feeds[0] = { ...body.data.feeds[0], symbol: hostile, state: 'down', reason: hostile }
        await route.fulfill({ json: body })
      })
      await page.locator('#feeds-table .symbol', { hasText: 'onerror' }).waitFor()
      expect(await text('#feeds-table tr[data-instrument*="onerror"] .symbol')).toBe(hostile)
      expect(await page.locator('main img, #feeds-table b').count()).toBe(0)
      await page.unrouteAll({ behavior: 'wait' })
    }))

  test('without the service it says so, with the age of what it shows; when it is back, all is live again', async () => {
    const { page, text } = await openPage(browser, service.url, 'phone', 'dark')
    await page.locator('#ladder[data-phase="live"]').waitFor()
    const port = Number(new URL(service.url).port)
    await service.stop()
    await page.locator('#banner', { hasText: /^Disconnected\. Everything below is from/ }).waitFor()
    expect(await text('#connection')).toMatch(/^Disconnected for [\d.]+ s$/)
    expect(await page.evaluate("getComputedStyle(document.querySelector('main')).filter")).toBe('grayscale(1)')
    await page.locator('#ladder[data-phase="waiting"]').waitFor({ state: 'attached' })
    expect(await page.locator('#tape li').first().getAttribute('data-side')).toBe('note')
    service = await startService(simulator, SYMBOLS, { 'api.port': port })
    await page.locator('#connection', { hasText: /^Live$/ }).waitFor({ timeout: 60_000 })
    await page.locator('#ladder[data-phase="live"]').waitFor({ timeout: 60_000 })
    expect(await page.locator('#banner').isVisible()).toBe(false)
    await page.context().close()
  })

  test('where a token is needed it asks for it, and the stream gets it too', async () => {
    const closed = await startService(simulator, { okx: ['BTC-USDT'] }, { 'api.token': 'a long enough secret token' })
    try {
      const { page, text } = await openPage(browser, closed.url, 'desk', 'dark')
      await page.locator('#token').waitFor()
      await page.locator('#token-text').fill('wrong')
      await page.getByRole('button', { name: 'Use it' }).click()
      await page.locator('#token-problem', { hasText: 'not the right one' }).waitFor()
      await page.locator('#token-text').fill('a long enough secret token')
      await page.getByRole('button', { name: 'Use it' }).click()
      await page.locator('#connection', { hasText: /^Live$/ }).waitFor()
      await page.locator('#ladder[data-phase="live"]').waitFor()
      expect(await text('#feeds-note')).toContain('1 instrument, ')
      await page.context().close()
    } finally {
      await closed.stop()
    }
  })
})

const percent = (share: number): string => String(Number((Math.floor(share * 1e6 + 1e-6) / 1e4).toFixed(4)))

/** Looked at inside the page, in one go. */
const look = (page: OpenPage['page'], expression: string): Promise<unknown> => page.evaluate(expression)

const ladder = (page: OpenPage['page']) =>
  look(
    page,
    `(() => {
      const side = (name) => [...document.querySelectorAll('#ladder tr.' + name)]
        .map((row) => [row.cells[0].textContent, row.cells[1].textContent])
        .filter(([price]) => price !== '')
      const { sequence } = document.querySelector('#ladder').dataset
      return { sequence, asks: side('ask'), bids: side('bid') }
    })()`,
  )

const ownFeeds = (page: OpenPage['page']) =>
  look(
    page,
    `[...document.querySelectorAll('#own .mini')].map((card) => {
      const [, , events, resyncs, proof] = [...card.querySelectorAll('dd')].map((cell) => cell.textContent)
      const number = (text) => Number(text.replaceAll(',', ''))
      return [card.querySelector('.chip').textContent, number(events), number(resyncs), proof]
    })`,
  )

const gapRows = (page: OpenPage['page']) =>
  look(
    page,
    `[...document.querySelectorAll('#gap-list tr[data-gap]')].slice(0, 5)
      .map((row) => [row.cells[1].textContent, row.cells[2].textContent, row.cells[3].textContent])`,
  )

const healthRows = (page: OpenPage['page']) =>
  look(
    page,
    `Object.fromEntries([...document.querySelectorAll('#checks li')]
      .map((row) => [row.dataset.check, [row.children[0].textContent, row.children[2].textContent]]).sort())`,
  )

/** The entries of the legends, each with the longest figures that it can have, that reach beyond their list. */
const LEGENDS_TOO_WIDE = `(() => {
  const entries = [...document.querySelectorAll('.legend li')]
  for (const entry of entries) entry.querySelector('b').textContent = '888 ms / 888 ms'
  const right = (node) => node.getBoundingClientRect().right
  return entries
    .filter((entry) => right(entry.querySelector('b')) > right(entry.parentElement) + 0.5)
    .map((entry) => entry.dataset.venue)
})()`

/** Is the section where somebody looks who has just asked for it? */
const inSight = (id: string): string =>
  `(() => {
    const { top, bottom } = document.getElementById('${id}').getBoundingClientRect()
    return top < innerHeight - 60 && bottom > 60
  })()`
