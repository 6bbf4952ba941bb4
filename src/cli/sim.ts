import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { errorText, PrismError } from '../model/errors.ts'
import { systemClock } from '../platform/clock.ts'
import type { Clock } from '../platform/platform.ts'
import { loadCaptures } from '../sim/capture.ts'
import { configFiles } from '../sim/config-files.ts'
import { ORDER_HELP } from '../sim/control.ts'
import type { SimVenue } from '../sim/exchange.ts'
import { FAULT_KINDS, type FaultSpec, faultFromText } from '../sim/faults.ts'
import { simVenues } from '../sim/index.ts'
import { createReplay, type Replay } from '../sim/replay.ts'
import { captureSummary, replayVenues } from '../sim/replay-venues.ts'
import { type Simulator, startSimulator } from '../sim/server.ts'

const VENUE_IDS = simVenues.map(({ id }) => id)

interface Options {
  readonly port: number
  readonly host: string
  readonly seed: number
  readonly venues: readonly string[]
  readonly rate: number
  readonly timeScale: number
  readonly snapshotLagMs: number
  readonly fault: readonly FaultSpec[]
  readonly capture?: readonly string[]
  readonly rest?: readonly string[]
  readonly speed: number | 'max'
  readonly startQuietMs: number
  readonly loop: boolean
  readonly configOut?: string
}

/**
 * `marketprism sim`: exchanges of this machine that speak the venues' own protocols.
 * Runs until `stopped` resolves: at the first SIGINT or SIGTERM.
 */
export function simCommand(stopped: () => Promise<void> = signalled): Command {
  return new Command('sim')
    .description('Run simulated exchanges, or replay a recording, over the exchanges’ own protocols.')
    .option('--port <port>', 'port to listen on; 0 takes a free one', number(0, 65_535), 0)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--seed <seed>', 'the same seed yields the same markets', number(0, 2 ** 32 - 1), 1)
    .option('--venues <ids>', `comma-separated, of: ${VENUE_IDS.join(', ')}`, parseVenues, VENUE_IDS)
    .option('--rate <factor>', 'multiplies the speed of all markets', number(0.001, 10_000), 1)
    .option('--time-scale <factor>', 'divides long times: heartbeats, lifetimes, limit windows', number(0.001, 1e6), 1)
    .option('--snapshot-lag-ms <ms>', 'how far REST snapshots lag behind the streams, at most', number(0, 60_000), 250)
    .option('--fault <spec>', 'plan a fault: KIND[,NAME=VALUE…] (repeatable)', parseFault, [])
    .option('--capture <files...>', 'replay these recordings (.ws.jsonl, .ws.jsonl.gz)')
    .option('--rest <files...>', 'REST answers of the recordings; without it the .rest.jsonl beside each')
    .option('--speed <factor>', 'speed of the replay; max is as fast as the clients read', parseSpeed, 1)
    .option('--start-quiet-ms <ms>', 'the replay starts so long after the last subscription', number(0, 600_000), 1500)
    .option('--loop', 'replay again after the last frame', false)
    .option('--config-out <dir>', 'write the configuration with which `marketprism start` collects from here')
    .addHelpText('after', helpText())
    .action((options: Options) => run(options, stopped))
}

function helpText(): string {
  const row = ([name, about]: [string, string]) => `  ${name.padEnd(16)} ${about}`
  const orders = Object.entries(ORDER_HELP).map(([name, about]) => `  /control/${name}\n      ${about}`)
  return `
Faults (KIND for --fault and /control/fault):
${Object.entries(FAULT_KINDS).map(row).join('\n')}
  They strike by venue, channel (trade, ticker, quote, book), symbol, connection, path (REST); further: count, skip,
  probability, ms, code, status, retry_after, how, pongs.

Orders to the running simulator (GET or POST, answers are JSON):
${orders.join('\n')}
  /control/capture
      venues, symbols, kinds and frame counts of the recording

Examples:
  marketprism sim --port 9000 --config-out /tmp/sim
  marketprism start --config /tmp/sim
  marketprism sim --venues okx --seed 7 --fault drop,channel=book,probability=0.01
  marketprism sim --capture session.ws.jsonl.gz --speed max --config-out /tmp/sim
  curl 'http://127.0.0.1:9000/control/fault?kind=silence&venue=binance&channel=book&symbol=BTCUSDT'`
}

async function run(options: Options, stopped: () => Promise<void>): Promise<void> {
  const clock = systemClock()
  const replay = options.capture && (await openReplay(options.capture, options, clock))
  const chosen = simVenues.filter(({ id }) => options.venues.includes(id))
  const venues = replay ? replayVenues(replay, chosen) : chosen
  const simulator = await startSimulator({
    clock,
    venues,
    port: options.port,
    host: options.host,
    seed: options.seed,
    rate: options.rate,
    timeScale: options.timeScale,
    snapshotLagMsMax: options.snapshotLagMs,
    faults: options.fault,
    ...(replay && {
      orders: { capture: () => captureSummary(replay.capture) },
      state: () => ({ replay: replay.state() }),
    }),
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new PrismError('PORT_IN_USE', `port ${options.port} of ${options.host} is taken; --port 0 takes a free one`)
  })
  if (options.configOut !== undefined) await writeConfig(options.configOut, simulator, venues, replay)
  process.stdout.write(announce(simulator, venues, options.configOut))
  await stopped()
  await simulator.stop()
}

const signalled = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })

async function openReplay(files: readonly string[], options: Options, clock: Clock): Promise<Replay> {
  const { rest = [], speed, startQuietMs, loop } = options
  const capture = await loadCaptures(files, rest).catch((error: unknown) => {
    throw new PrismError('INVALID_PARAMETERS', `cannot read the recording: ${errorText(error)}`)
  })
  if (capture.frames.length === 0) {
    throw new PrismError('INVALID_PARAMETERS', `no received frame of a known venue in ${files.join(', ')}`)
  }
  return createReplay({ clock, capture, speed, startQuietMs, isLoop: loop })
}

/** Files for `marketprism start --config DIR`; venues that are not simulated are switched off. */
async function writeConfig(
  folder: string,
  simulator: Simulator,
  venues: readonly SimVenue[],
  replay: Replay | undefined,
): Promise<void> {
  const symbolsOf = (venue: SimVenue): string[] =>
    replay
      ? [
          ...new Set(
            captureSummary(replay.capture)
              .filter((row) => row.venue === venue.id)
              .map((row) => row.symbol),
          ),
        ]
      : venue.instruments.map(({ symbol }) => symbol)
  const files = configFiles(
    simVenues.map(({ id }) => {
      const served = venues.find((venue) => venue.id === id)
      return { id, symbols: served ? symbolsOf(served) : [], options: served && simulator.options(id) }
    }),
  )
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  } catch (error) {
    throw new PrismError('INVALID_PARAMETERS', `cannot write the configuration to ${folder}: ${errorText(error)}`)
  }
}

function announce(simulator: Simulator, venues: readonly SimVenue[], configOut: string | undefined): string {
  const lines = [`simulator at ${simulator.url}, control at ${simulator.url}/control/state`]
  for (const { id } of venues) {
    for (const [key, url] of Object.entries(simulator.options(id)))
      lines.push(`${id.padEnd(13)} ${key.padEnd(23)} ${url}`)
  }
  if (configOut !== undefined) lines.push(`configuration in ${configOut}: marketprism start --config ${configOut}`)
  return `${lines.join('\n')}\n`
}

const number =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (text !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`expected a number from ${min} to ${max}`)
  }

function parseVenues(text: string): string[] {
  const ids = text.split(',').filter((id) => id !== '')
  const unknown = ids.find((id) => !VENUE_IDS.includes(id))
  if (unknown === undefined && ids.length > 0) return ids
  throw new InvalidArgumentError(`unknown venue '${unknown ?? ''}'; there are: ${VENUE_IDS.join(', ')}`)
}

const parseSpeed = (text: string): number | 'max' => (text === 'max' ? 'max' : number(0.001, 1e6)(text))

function parseFault(text: string, faults: readonly FaultSpec[]): FaultSpec[] {
  try {
    return [...faults, faultFromText(text)]
  } catch (error) {
    throw error instanceof PrismError ? new InvalidArgumentError(error.message) : error
  }
}
