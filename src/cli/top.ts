/** `marketprism top`: a running service, live in the terminal. */

import { Command } from 'commander'
import { type ErrorCode, errorText, PrismError } from '../model/errors.ts'
import { sleep, systemClock } from '../platform/clock.ts'
import type { Clock } from '../platform/platform.ts'
import { openTerminal, type Terminal } from '../platform/terminal.ts'
import { EXIT } from './exit.ts'
import { addAddressFlags, type ServiceClient, type ServiceFlags, serviceClient } from './running-service.ts'
import { secondsUpTo } from './seconds.ts'
import { screenOf } from './table.ts'
import { type Coverage, type Sample, takeCoverage, takeSample } from './top-sample.ts'
import { type TopState, topLines } from './top-text.ts'

interface TopFlags extends Pick<ServiceFlags, 'url' | 'token'> {
  readonly interval: number
  readonly once: boolean
}

/** Completeness is more work for the service than the rest. */
const COVERAGE_MS = 10_000
/** Waits so many times as long as the answers took, so that a service with thousands of feeds is not kept busy with us. */
const REST_PART = 10
/** Between the two samples of `--once`, so that there is a rate. */
const ONCE_MS = 1_000
const QUIT_KEYS = ['q', 'Q', '\u0003', '\u0004']
const SECONDS_MAX = 3_600

export function topCommand(): Command {
  const command = new Command('top')
    .description('a running service, live in the terminal: feeds, rates, gaps, sinks')
    .option('--interval <seconds>', 'how often it is asked', secondsUpTo(SECONDS_MAX), 2)
    .option('--once', 'print one picture and end; so it is too where standard output is no terminal', false)
  return addAddressFlags(command)
    .addHelpText(
      'after',
      `
q or Ctrl-C ends it. A service that cannot be reached is asked again for as long as top runs; with --once that is exit
status ${EXIT.unavailable}.

Examples:
  marketprism top
  marketprism top --once | less -S
  API_TOKEN=… marketprism top --url https://collector.example.org`,
    )
    .action(async (flags: TopFlags) => {
      const client = serviceClient(flags)
      if (flags.once || !process.stdout.isTTY) await printOnce(client, flags.url)
      else await watch(client, flags)
    })
}

async function printOnce(client: ServiceClient, url: string): Promise<void> {
  const before = await takeSample(client)
  const coverage = await takeCoverage(client)
  await sleep(systemClock(), ONCE_MS)
  const sample = { ...(await takeSample(client)), coverage }
  const screen = { ...screenOf(process.stdout), height: undefined }
  const lines = topLines({ url, sample, before, problem: undefined, isConnected: true }, screen)
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Resolves when a key or a signal ends it. Errors: UNAUTHORIZED, INVALID_PARAMETERS: asking again does not help. */
async function watch(client: ServiceClient, { url, interval }: TopFlags): Promise<void> {
  const clock = systemClock()
  let state: TopState = { url, sample: undefined, before: undefined, problem: undefined, isConnected: true }
  let terminal: Terminal | undefined
  const draw = () => {
    if (terminal === undefined) return
    const { width, height } = terminal
    terminal.show(topLines(state, { width, height, hasColour: true }))
  }
  await new Promise<void>((resolve, reject) => {
    let cancel = () => {}
    const end = () => {
      cancel()
      terminal?.leave()
      process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end)
      resolve()
      // An answer that is still awaited must not keep the process alive.
      process.exit()
    }
    const key = (text: string) => {
      if ([...text].some((each) => QUIT_KEYS.includes(each))) end()
    }
    process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end)
    terminal = openTerminal(process.stdin, process.stdout, { key, resized: draw })
    draw()
    const look = looker(client, clock)
    const round = async (): Promise<void> => {
      const startMs = clock.monotonicMs()
      try {
        state = { url, sample: await look(), before: state.sample, problem: undefined, isConnected: true }
      } catch (error) {
        if (isCode(error, ['UNAUTHORIZED', 'INVALID_PARAMETERS'])) {
          terminal?.leave()
          reject(error)
          return
        }
        state = { ...state, problem: errorText(error), isConnected: !isCode(error, ['SERVICE_UNAVAILABLE']) }
      }
      draw()
      const tookMs = clock.monotonicMs() - startMs
      cancel = clock.after(Math.max(interval * 1000, tookMs * REST_PART), () => void round())
    }
    void round()
  })
}

/** Takes samples; what is covered is asked for now and then, and kept meanwhile. */
function looker(client: ServiceClient, clock: Clock): () => Promise<Sample> {
  let coverage: readonly Coverage[] | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  return async () => {
    const sample = await takeSample(client)
    if (clock.monotonicMs() - askedMs >= COVERAGE_MS) {
      coverage = await takeCoverage(client)
      askedMs = clock.monotonicMs()
    }
    return { ...sample, coverage }
  }
}

const isCode = (error: unknown, codes: readonly ErrorCode[]): boolean =>
  error instanceof PrismError && codes.includes(error.code)
