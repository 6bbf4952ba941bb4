/** One venue: can it be reached, does it list the symbols, do its clock and ours agree, what of its limits is left, do its messages look as documented. */

import { wantedChannels } from '../collector/wanted.ts'
import { Bans } from '../feed/bans.ts'
import { RestClient, RestError } from '../feed/rest-client.ts'
import { CHANNELS, type Instrument } from '../model/event.ts'
import { isoTime } from '../model/time.ts'
import { type Config, endpointUrls, type VenueConfig } from '../ops/config-schema.ts'
import type { Platform } from '../platform/platform.ts'
import { driftOf, hasDrift, type Shape } from '../venues/shape.ts'
import type { Venue } from '../venues/venue.ts'
import { type EndpointReport, type Heard, listenTo } from './endpoint.ts'
import { type Finding, fail, namesText, ok, warn } from './finding.ts'

/** Messages that seem to be this old, or from the future, for the difference of two clocks and the way of the message. */
const CLOCK_MS = { ok: 1_000, warn: 5_000 }
/** Share of a limit from which others seem to use it too. */
const USED_SHARE_MAX = 0.5

const NETWORK = 'check network, DNS and firewall; exchanges.yaml can name other hosts or a proxy'
const CLOCK = 'let NTP set the clock of this machine (timedatectl set-ntp true)'

export interface VenueCheck {
  readonly venue: Venue
  readonly config: Config
  readonly platform: Platform
  readonly bansPath: string
  readonly listenMs: number
}

/** Never rejects for what the venue does. */
export async function checkVenue(check: VenueCheck): Promise<Finding[]> {
  const { venue, config, platform, bansPath } = check
  const bans = new Bans(bansPath, platform)
  await bans.load()
  const venueConfig = config.exchanges[venue.id] as VenueConfig
  const instruments = new Map<string, Instrument>()
  const onOutcome = () => {}
  const rest = new RestClient({ venue, urls: venueConfig.rest_url, platform, bans, instruments, onOutcome })
  const listed = await checkRest(check, rest, venueConfig, instruments)
  const limits = listed.isAnswered ? [checkLimits(venue, rest)] : []
  rest.stop()
  bans.stop()
  const symbol = venueConfig.symbols.find((each) => instruments.has(each)) ?? venueConfig.symbols[0]
  const streams =
    config.enable_websocket && symbol !== undefined ? await checkStreams(check, venueConfig, symbol, instruments) : []
  return [listed.finding, ...limits, ...streams]
}

async function checkRest(
  { venue, platform }: VenueCheck,
  rest: RestClient,
  { symbols, rest_url: urls }: VenueConfig,
  instruments: Map<string, Instrument>,
): Promise<{ readonly finding: Finding; readonly isAnswered: boolean }> {
  const name = `${venue.id} rest`
  const { bannedUntilUs } = rest
  if (bannedUntilUs !== undefined)
    return { finding: banned(name, `banned until ${isoTime(bannedUntilUs)}, as remembered`), isAnswered: false }
  const startMs = platform.clock.monotonicMs()
  try {
    const requests = venue.rest.instruments(symbols)
    const lists = await firstAnswer(urls.length, () => Promise.all(requests.map((request) => rest.get(request))))
    for (const instrument of lists.flat()) instruments.set(instrument.symbol, instrument)
  } catch (error) {
    if (!(error instanceof RestError)) throw error
    return { finding: restFailure(name, error), isAnswered: false }
  }
  const tookMs = Math.round(platform.clock.monotonicMs() - startMs)
  const unlisted = symbols.filter((symbol) => !instruments.has(symbol))
  const found = `${symbols.length - unlisted.length} of ${symbols.length} symbols listed, ${tookMs} ms`
  const advice = `${venue.title} does not list ${namesText(unlisted)}: correct exchanges.${venue.id}.symbols`
  return { finding: unlisted.length === 0 ? ok(name, found) : warn(name, found, advice), isAnswered: true }
}

/** The client goes on to the venue's next host after a failure to connect. */
async function firstAnswer<Answer>(hosts: number, ask: () => Promise<Answer>): Promise<Answer> {
  for (let left = hosts; ; left--) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof RestError) || error.kind !== 'unreachable' || left <= 1) throw error
    }
  }
}

const banned = (name: string, found: string): Finding =>
  fail(name, found, 'wait until it is over; nothing else may ask from this address meanwhile')

function restFailure(name: string, { kind, message }: RestError): Finding {
  switch (kind) {
    case 'banned':
    case 'rate_limited':
      return banned(name, message)
    case 'unreachable':
      return fail(name, message, NETWORK)
    case 'malformed':
      return fail(name, `an answer that is not as documented: ${message}`, 'look for a newer version of marketprism')
    default:
      return fail(name, message, 'the venue has a problem of its own, or refuses this address: look at its status page')
  }
}

function checkLimits(venue: Venue, rest: RestClient): Finding {
  const name = `${venue.id} limits`
  const used = [...rest.usage()].map(([budget, share]) => ({ budget, share }))
  const source = venue.restLimits.used === undefined ? 'by us; the venue does not tell' : 'as the venue tells'
  const words = used.map(({ budget, share }) => `${budget} ${((1 - share) * 100).toFixed(1)} %`)
  const found = `left of ${words.join(', ')} (${source})`
  return used.every(({ share }) => share <= USED_SHARE_MAX)
    ? ok(name, found)
    : warn(name, found, 'something else on this address uses the limit too; find it before the venue bans the address')
}

async function checkStreams(
  { venue, config, platform, listenMs }: VenueCheck,
  venueConfig: VenueConfig,
  symbol: string,
  instruments: ReadonlyMap<string, Instrument>,
): Promise<Finding[]> {
  const names = wantedChannels(config, venueConfig)
  const topics = CHANNELS.flatMap((channel) => {
    const channelName = names[channel]
    return channelName === undefined ? [] : { channelName, topic: venue.topic(channel, channelName, symbol) }
  })
  const endpoints = Object.entries(venue.endpoints).flatMap(([endpoint, about]) => {
    const own = topics.filter(({ topic }) => topic.endpoint === endpoint)
    return own.length === 0 ? [] : { endpoint, own, urls: endpointUrls(venueConfig, about) }
  })
  const reports = await Promise.all(
    endpoints.map(async ({ endpoint, own, urls }) => {
      const asked = own.map(({ topic }) => topic)
      const report = await listenTo({ venue, urls, topics: asked, platform, instruments, listenMs })
      const shapes = new Map(own.map(({ topic, channelName }) => [topic, venue.shapes?.[channelName]]))
      const streams = report.heard.map((heard) => streamFinding(venue, heard, shapes.get(heard.topic), listenMs))
      return {
        delaysMs: report.delaysMs,
        findings: [endpointFinding(venue, endpoint, report), ...unknownFinding(venue, report), ...streams],
      }
    }),
  )
  const delaysMs = reports.flatMap((report) => report.delaysMs)
  return [...reports.flatMap(({ findings }) => findings), ...clockFinding(venue, delaysMs)]
}

function endpointFinding(venue: Venue, endpoint: string, { url, failures, openMs }: EndpointReport): Finding {
  const name = `${venue.id} websocket ${endpoint}`
  if (url === undefined) return fail(name, failures.join('; '), NETWORK)
  const found = `${new URL(url).host} opened in ${Math.round(openMs)} ms`
  return failures.length === 0 ? ok(name, found) : warn(name, `${found}; ${failures.join('; ')}`, NETWORK)
}

function unknownFinding(venue: Venue, { unknown }: EndpointReport): Finding[] {
  if (unknown.size === 0) return []
  const kinds = [...unknown].slice(0, 5).map(([what, count]) => `${what} (${count})`)
  const advice = 'if a stream below has nothing, its messages have changed: look for a newer version of marketprism'
  return [warn(`${venue.id} messages`, `not understood: ${kinds.join(', ')}`, advice)]
}

function streamFinding(venue: Venue, heard: Heard, shape: Shape | undefined, listenMs: number): Finding {
  const { topic, firstMs, messages, malformed, refused } = heard
  const name = `${venue.id} ${topic.channel}`
  if (refused !== undefined)
    return fail(name, `${topic.name} refused: ${refused}`, `correct exchanges.${venue.id}.symbols or channels`)
  const drift = shape === undefined ? undefined : driftOf(shape, messages)
  const differences = drift === undefined ? '' : driftText(drift)
  if (malformed !== undefined) {
    const found = `${topic.name} cannot be read: ${malformed}${differences && `; ${differences}`}`
    return fail(name, found, 'the venue has changed its messages: look for a newer version of marketprism')
  }
  if (firstMs === undefined)
    return warn(name, `${topic.name}: nothing in ${listenMs / 1000} s`, 'a quiet market, or a dead stream: try again')
  const first = `${topic.name}: first message after ${Math.round(firstMs)} ms`
  return drift !== undefined && hasDrift(drift)
    ? warn(name, `${first}; ${differences}`, 'the messages are understood, but look for a newer version of marketprism')
    : ok(name, `${first}, ${messages.length} as documented`)
}

function driftText({ missing, unknown, changed }: ReturnType<typeof driftOf>): string {
  const parts = [
    missing.length > 0 && `missing: ${missing.join(', ')}`,
    unknown.length > 0 && `unknown: ${unknown.join(', ')}`,
    changed.length > 0 && `changed: ${changed.join(', ')}`,
  ]
  return parts.filter((part) => part !== false).join('; ')
}

/** The fastest message tells most of the clocks: its way was shortest. */
function clockFinding(venue: Venue, delaysMs: readonly number[]): Finding[] {
  if (delaysMs.length === 0) return []
  const name = `${venue.id} clock`
  const least = Math.min(...delaysMs)
  const text = `${(Math.abs(least) / 1000).toFixed(3)} s`
  const found =
    least < 0 ? `ours is at least ${text} behind` : `ours is at most ${text} ahead, the message's way included`
  if (Math.abs(least) <= CLOCK_MS.ok) return [ok(name, found)]
  return [Math.abs(least) <= CLOCK_MS.warn ? warn(name, found, CLOCK) : fail(name, found, CLOCK)]
}
