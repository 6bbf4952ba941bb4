/** With 200 symbols the page stays light: little work, short frames, a bounded page. */

import type { Browser, CDPSession } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import { binanceSim } from '../../../src/sim/binance.ts'
import type { SimInstrument } from '../../../src/sim/exchange.ts'
import { type Simulator, startSimulator } from '../../../src/sim/server.ts'
import { type RunningService, startService, until } from '../../helpers/service.ts'
import { hasBrowser, launch, openPage } from './browser.ts'

const SYMBOLS = 200
const FRAMES = 240
const IDLE_MS = 6_000
/**
 * Processor time of the page's own thread for each frame while the feeds are scrolled through, all its other work included:
 * however busy the machine is, that does not grow. It is some 15; a page that draws every row needs 60.
 */
const WORK_MS_MAX = 40
/** Of one core, while nobody touches the page. */
const IDLE_SHARE_MAX = 0.4
/** Frames wait for other programs of the machine too: this is for a busy one, and only tells what stands still. */
const FRAME_MS_MAX = 250
const ROWS_MAX = 60

const instruments: SimInstrument[] = Array.from({ length: SYMBOLS }, (_, i) => ({
  ...(binanceSim.instruments[0] as SimInstrument),
  symbol: `S${i}USDT`,
  base: `S${i}`,
  stepsPerSecond: i === 0 ? 10 : 0.5,
}))

let simulator: Simulator
let service: RunningService
let browser: Browser

/** Seconds of processor time that the page's thread has used, and its elements. */
async function used(session: CDPSession): Promise<{ seconds: number; nodes: number }> {
  const { metrics } = await session.send('Performance.getMetrics')
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN
  return { seconds: value('TaskDuration'), nodes: value('Nodes') }
}

/** Scrolls the feeds through, a bit each frame; resolves with the lengths of the frames, ms, ascending. */
const SCROLL = `new Promise((resolve) => {
  const box = document.querySelector('#feeds-table')
  box.scrollIntoView()
  const lengths = []
  let last = performance.now()
  const step = (now) => {
    lengths.push(now - last)
    last = now
    box.scrollTop = (box.scrollTop + 41) % (box.scrollHeight - box.clientHeight)
    if (lengths.length < ${FRAMES}) requestAnimationFrame(step)
    else resolve(lengths.slice(1).sort((a, b) => a - b))
  }
  requestAnimationFrame(step)
})`

describe.skipIf(!hasBrowser())(`${SYMBOLS} symbols in a browser`, { timeout: 240_000 }, () => {
  beforeAll(async () => {
    const venues = [{ ...binanceSim, instruments }]
    simulator = await startSimulator({ clock: systemClock(), venues, seed: 5 })
    service = await startService(simulator, { binance: instruments.map(({ symbol }) => symbol) })
    // Books of all symbols need minutes of the venue's budget; the trades of all are soon there.
    const feeds = () =>
      service.service.collector.feeds().filter(({ channel, state }) => channel === 'trade' && state === 'live')
    await until('the trades of every symbol', () => feeds().length === SYMBOLS, 90_000)
    browser = await launch()
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    await service?.stop()
    await simulator?.stop()
  }, 60_000)

  for (const size of ['desk', 'phone'] as const) {
    test(`stay fluent (${size})`, async () => {
      const { page, faults, text, picture } = await openPage(browser, service.url, size, 'dark')
      await page.locator('#connection', { hasText: /^Live$/ }).waitFor()
      await page.locator('#feeds-note', { hasText: `${SYMBOLS} instruments` }).waitFor()
      await page.locator('#completeness-table tr[data-instrument]').first().waitFor()
      const session = await page.context().newCDPSession(page)
      await session.send('Performance.enable', { timeDomain: 'threadTicks' })
      const before = await used(session)
      const frames = (await page.evaluate(SCROLL)) as number[]
      const scrolled = await used(session)
      const startMs = performance.now()
      await page.waitForTimeout(IDLE_MS)
      const after = await used(session)
      const figures = {
        workMs: ((scrolled.seconds - before.seconds) * 1000) / FRAMES,
        idleShare: (after.seconds - scrolled.seconds) / ((performance.now() - startMs) / 1000),
        frameMs: frames[Math.floor(frames.length / 2)] ?? Number.NaN,
        nodes: after.nodes,
      }
      if (process.env.DASHBOARD_PICTURES !== undefined) console.info(size, JSON.stringify(figures))
      expect(figures.workMs, JSON.stringify(figures)).toBeLessThan(WORK_MS_MAX)
      expect(figures.idleShare, JSON.stringify(figures)).toBeLessThan(IDLE_SHARE_MAX)
      expect(figures.frameMs, JSON.stringify(figures)).toBeLessThan(FRAME_MS_MAX)
      expect(await page.locator('#feeds-table tbody tr').count()).toBeLessThan(ROWS_MAX)
      expect(await text('#connection')).toBe('Live')
      expect(faults).toEqual([])
      await picture(`many-${size}`)
      await page.context().close()
    })
  }
})
