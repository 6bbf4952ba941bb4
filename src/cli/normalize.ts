import { Command, InvalidArgumentError } from 'commander'
import { type NormalizedFrame, Normalizer } from '../collector/normalizer.ts'
import { errorText, PrismError } from '../model/errors.ts'
import { epochUs } from '../model/time.ts'
import { DamagedInputError, readLines } from '../platform/lines.ts'
import { stdoutWriter } from '../platform/stdout.ts'
import { word } from '../venues/fields.ts'
import { findVenue, venues } from '../venues/index.ts'
import { EXIT } from './exit.ts'

/** Problems written out one by one; all are counted. */
const PROBLEMS_SHOWN_MAX = 10
const BOOK_LEVELS_MAX = 5000

interface Options {
  readonly rest: readonly string[]
  readonly frame: boolean
  readonly books?: number
  readonly strict: boolean
}

/** `marketprism normalize`: recorded frames in, events out, one JSON a line. */
export function normalizeCommand(): Command {
  return new Command('normalize')
    .description('Convert captured venue frames to normalized events, one JSON object a line.')
    .argument('[files...]', 'captures, plain or gzip; - or nothing reads standard input', ['-'])
    .option(
      '--rest <file>',
      'REST answers of the same session (repeatable)',
      (value, all: string[]) => [...all, value],
      [],
    )
    .option('--frame', 'add the 0-based input line as "frame" to each event', false)
    .option('--books <levels>', 'after each frame that changed a live book, write its best levels', parseLevels)
    .option('--strict', `exit ${EXIT.badData} if a frame was malformed or unknown`, false)
    .addHelpText(
      'after',
      `
Each input line: {"ts": <receive time, ms or µs, or null>, "venue": "binance-usdm", "msg": <the frame>}
Lines with "dir":"sent" are skipped. Venues: ${venues.map((venue) => venue.id).join(', ')}.

Examples:
  marketprism normalize session.ws.jsonl.gz --rest session.rest.jsonl.gz > events.jsonl
  zcat session.ws.jsonl.gz | marketprism normalize --books 20 --frame --strict`,
    )
    .action(async (files: string[], options: Options) => {
      process.exitCode = await normalize(files, options)
    })
}

function parseLevels(value: string): number {
  const levels = Number(value)
  if (Number.isInteger(levels) && levels >= 1 && levels <= BOOK_LEVELS_MAX) return levels
  throw new InvalidArgumentError(`expected a number of levels from 1 to ${BOOK_LEVELS_MAX}`)
}

async function normalize(files: readonly string[], options: Options): Promise<number> {
  const normalizer = new Normalizer(venues)
  const report = new Report()
  for (const file of options.rest) await addAnswers(normalizer, file, report)
  const out = stdoutWriter()
  let line = -1
  for (const file of files) {
    for await (const text of lines(file, report)) {
      line++
      if (text === '') continue
      const frame = readFrame(text)
      if (typeof frame === 'string') {
        report.problem(line, 'malformed', frame)
        continue
      }
      if (frame === undefined) continue
      const result = normalizer.frame(frame.venue, frame.bytes, frame.receiveTimeUs)
      report.add(line, result)
      await out.write(render(result, line, options))
    }
  }
  await out.end()
  process.stderr.write(report.text())
  return report.isDamaged || (options.strict && report.isBad) ? EXIT.badData : EXIT.ok
}

/**
 * What can be read of a damaged file is used, and the damage reported.
 * Errors: a file that cannot be read is the caller's mistake, said with its name.
 */
async function* lines(file: string, report: Report): AsyncGenerator<string> {
  try {
    yield* readLines(file)
  } catch (error) {
    if (!(error instanceof DamagedInputError)) {
      throw new PrismError('INVALID_PARAMETERS', `cannot read ${file}: ${errorText(error)}`)
    }
    report.damaged(file, error.message)
  }
}

function render(result: NormalizedFrame, line: number, { frame, books }: Options): string {
  let text = ''
  for (const event of result.events) text += `${JSON.stringify(frame ? { ...event, frame: line } : event)}\n`
  if (books === undefined) return text
  for (const { venue, symbol, sync } of result.changedBooks) {
    const bids = sync.book.bids.top(books)
    const asks = sync.book.asks.top(books)
    const top = { type: 'book_top', venue, symbol, sequence: sync.sequence, bids, asks }
    text += `${JSON.stringify(frame ? { ...top, frame: line } : top)}\n`
  }
  return text
}

/** One input line; `undefined` for a line that is no received frame, a text for one that is malformed. */
function readFrame(line: string) {
  if (line.includes(NO_UTF8)) return 'line: expected UTF-8'
  const usual = messageLast(line)
  const row = usual?.row ?? parse(line)
  if (!isRow(row)) return 'line: expected an object with ts, venue and msg'
  if (row.dir === 'sent') return undefined
  const message = usual?.message ?? written(row.msg)
  if (message === undefined) return 'line: expected JSON with a "msg"'
  const venue = venueOf(row)
  if (venue === undefined)
    return `venue: expected one of ${venues.map((v) => v.id).join(', ')}, received ${word(row.venue)}`
  return { venue, bytes: Buffer.from(message), receiveTimeUs: epochUs(row.ts) }
}

/** What reading puts in the place of bytes that are no UTF-8. */
const NO_UTF8 = '\uFFFD'

const venueOf = ({ venue }: Record<string, unknown>) => (typeof venue === 'string' ? findVenue(venue) : undefined)

const MESSAGE_KEY = '"msg":'

/** The usual line, whose last key is `msg`: its text is passed on as it stands, and `row` is the keys before it. */
function messageLast(line: string) {
  const at = line.indexOf(MESSAGE_KEY)
  if (at < 0) return undefined
  const row = parse(`${line.slice(0, at)}"msg":null}`)
  const end = line.lastIndexOf('}')
  const message = line.slice(at + MESSAGE_KEY.length, end)
  const isWhole = isRow(row) && parse(message) !== undefined && line.slice(end + 1).trim() === ''
  return isWhole ? { row, message } : undefined
}

/** `undefined` for nothing, and for what is nested too deep to be written. */
function written(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isRow = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

async function addAnswers(normalizer: Normalizer, file: string, report: Report): Promise<void> {
  let line = -1
  for await (const text of lines(file, report)) {
    line++
    if (text === '') continue
    const row = parse(text)
    const venue = isRow(row) ? venueOf(row) : undefined
    const url = isRow(row) && typeof row.url === 'string' && URL.canParse(row.url) ? new URL(row.url) : undefined
    if (!isRow(row) || venue === undefined || url === undefined) {
      process.stderr.write(`${file} line ${line}: skipped, expected {"ts","venue","url","msg"}\n`)
      continue
    }
    try {
      normalizer.addAnswer({ venue, url, body: row.msg, receiveTimeUs: epochUs(row.ts) })
    } catch (error) {
      process.stderr.write(`${file} line ${line}: malformed answer: ${errorText(error)}\n`)
    }
  }
}

/** What happened to the frames, for standard error. */
class Report {
  #frames = 0
  #events = 0
  readonly #counts = { malformed: 0, unknown: 0 }
  readonly #unknown = new Map<string, number>()
  readonly #shown: string[] = []

  get isBad(): boolean {
    return this.#counts.malformed + this.#counts.unknown > 0
  }

  isDamaged = false

  damaged(file: string, reason: string): void {
    this.isDamaged = true
    this.#shown.push(`${file}: ${reason}; what stands before the damage was used\n`)
  }

  add(line: number, result: NormalizedFrame): void {
    this.#frames++
    this.#events += result.events.length
    if (result.problem !== undefined) this.problem(line, result.problem.kind, result.problem.reason)
  }

  problem(line: number, kind: 'malformed' | 'unknown', reason: string): void {
    this.#counts[kind]++
    if (kind === 'unknown') this.#unknown.set(reason, (this.#unknown.get(reason) ?? 0) + 1)
    else if (this.#shown.length < PROBLEMS_SHOWN_MAX) this.#shown.push(`frame ${line}: ${reason}\n`)
  }

  text(): string {
    const unknown = [...this.#unknown].slice(0, PROBLEMS_SHOWN_MAX).map(([what, count]) => `${what} ${count}`)
    const detail = unknown.length === 0 ? '' : ` (${unknown.join(', ')})`
    const { malformed } = this.#counts
    return `${this.#shown.join('')}frames ${this.#frames}, events ${this.#events}, unknown ${this.#counts.unknown}${detail}, malformed ${malformed}\n`
  }
}
