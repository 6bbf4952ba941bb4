/** Debian's Chromium, driven by playwright-core: one page that notes everything it should not do. */

import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'

const PROGRAM = process.env.CHROMIUM ?? 'chromium'
/** Where pictures of each look of the page are put, for people to look at; none are made without it. */
const PICTURES = process.env.DASHBOARD_PICTURES

export const hasBrowser = (): boolean => {
  const isThere = spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).status === 0
  if (!isThere) console.warn(`SKIPPED: the dashboard in a browser; there is no ${PROGRAM} (CHROMIUM names another one)`)
  return isThere
}

export function launch(): Promise<Browser> {
  const executablePath = spawnSync('which', [PROGRAM], { encoding: 'utf8' }).stdout.trim()
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
  return chromium.launch({ executablePath, args: [...args, '--disable-sync', '--no-first-run'] })
}

export const SIZES = { desk: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } } as const
export type Size = keyof typeof SIZES

export interface OpenPage {
  readonly page: Page
  /** The newest answer of each path that the page has asked for, without its query: parsed. */
  readonly answers: ReadonlyMap<string, Answer>
  /** Errors of the console and of scripts, and requests to others. */
  readonly faults: string[]
  /** The text of an element, as a person reads it. */
  text(selector: string): Promise<string>
  texts(selector: string): Promise<string[]>
  picture(name: string): Promise<void>
}

// biome-ignore lint/suspicious/noExplicitAny: tests read many shapes
export type Answer = any

export async function openPage(browser: Browser, url: string, size: Size, scheme: 'light' | 'dark'): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: scheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  // A machine that also runs the service and other tests is slow.
  page.setDefaultTimeout(60_000)
  const answers = new Map<string, Answer>()
  const faults: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`script: ${error.message}`))
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== url) faults.push(`asked elsewhere: ${request.url()}`)
  })
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).host !== new URL(url).host) faults.push(`asked elsewhere: ${socket.url()}`)
  })
  page.on('response', async (response) => {
    const { pathname } = new URL(response.url())
    if (!/^\/(api|health)/.test(pathname)) return
    // A page that is closed while an answer is under way has none.
    const body = await response.json().catch(() => undefined)
    if (body !== undefined) answers.set(pathname, body.data ?? body)
  })
  await page.goto(url)
  return {
    page,
    answers,
    faults,
    text: async (selector) => (await page.locator(selector).first().textContent()) ?? '',
    texts: (selector) => page.locator(selector).allTextContents(),
    async picture(name) {
      if (PICTURES === undefined) return
      mkdirSync(PICTURES, { recursive: true })
      await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
    },
  }
}

/** Resolves when both are equal; they move, so it looks again. Errors: rejects with the last of both. */
export async function agree(
  what: string,
  look: () => Promise<{ readonly shown: unknown; readonly told: unknown }>,
  deadlineMs = 30_000,
): Promise<void> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const { shown, told } = await look()
    if (JSON.stringify(shown) === JSON.stringify(told)) return
    if (performance.now() > end) {
      throw new Error(`${what}: the page shows ${JSON.stringify(shown)}, the API says ${JSON.stringify(told)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
