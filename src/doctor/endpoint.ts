/** Listens to one endpoint of a venue for a few seconds: whether it opens, and the first messages of each stream. */

import { Link } from '../feed/link.ts'
import { CHANNEL_OF, type Channel } from '../model/event.ts'
import type { Net, Platform } from '../platform/platform.ts'
import type { Decoded, Instruments, Topic, Venue } from '../venues/venue.ts'

/** Messages of one stream that are looked at. */
const MESSAGES_MAX = 20
/** So many of each stream are enough to end early. */
const MESSAGES_ENOUGH = 3

/** What one stream brought. */
export interface Heard {
  readonly topic: Topic
  /** From the subscription until the first message, in milliseconds. */
  firstMs: number | undefined
  /** As sent, parsed. */
  readonly messages: unknown[]
  /** What could not be decoded, in words. */
  malformed: string | undefined
  /** Why the venue refused it. */
  refused: string | undefined
}

export interface EndpointReport {
  /** The one that opened. */
  readonly url: string | undefined
  /** Those that did not, and why. */
  readonly failures: readonly string[]
  readonly openMs: number
  readonly heard: readonly Heard[]
  /** What came and was not asked for, or could not be told whose it is: a word for each kind, and how many. */
  readonly unknown: ReadonlyMap<string, number>
  /** Receive time less exchange time of each event, in milliseconds. */
  readonly delaysMs: readonly number[]
}

export interface EndpointOptions {
  readonly venue: Venue
  readonly urls: readonly string[]
  /** One of each channel. */
  readonly topics: readonly Topic[]
  readonly platform: Platform
  readonly instruments: Instruments
  /** For the first messages, once the connection is open. */
  readonly listenMs: number
}

/** Never rejects. Takes `listenMs`, and what it takes to find a URL that opens. */
export async function listenTo(options: EndpointOptions): Promise<EndpointReport> {
  const failures: string[] = []
  for (const url of options.urls) {
    const listener = new Listener(options, url)
    const failure = await listener.listen()
    if (failure === undefined || listener.openMs !== undefined) {
      const { heard, unknown, delaysMs, openMs = 0 } = listener
      return {
        url,
        failures: failure === undefined ? failures : [...failures, failure],
        openMs,
        heard,
        unknown,
        delaysMs,
      }
    }
    failures.push(failure)
  }
  return { url: undefined, failures, openMs: 0, heard: [], unknown: new Map(), delaysMs: [] }
}

class Listener {
  readonly heard: readonly Heard[]
  readonly unknown = new Map<string, number>()
  readonly delaysMs: number[] = []
  openMs: number | undefined
  readonly #options: EndpointOptions
  readonly #url: string
  #openedMs = 0

  constructor(options: EndpointOptions, url: string) {
    this.#options = options
    this.#url = url
    this.heard = options.topics.map((topic) => ({
      topic,
      firstMs: undefined,
      messages: [],
      malformed: undefined,
      refused: undefined,
    }))
  }

  /** Resolves with why it ended before its time. */
  listen(): Promise<string | undefined> {
    const { venue, topics, platform, instruments, listenMs } = this.#options
    const { clock } = platform
    const startMs = clock.monotonicMs()
    return new Promise((resolve) => {
      let cancel = () => {}
      const end = (reason: string | undefined) => {
        cancel()
        // First, because ending the link tells that it has closed.
        resolve(reason)
        link.end('done')
      }
      const tapped = { ...platform, net: tap(platform.net, (bytes) => this.#onFrame(bytes)) }
      const link = new Link({
        venue,
        url: this.#url,
        platform: tapped,
        instruments,
        handlers: {
          opened: () => {
            this.#openedMs = clock.monotonicMs()
            this.openMs = this.#openedMs - startMs
            link.subscribe(topics)
            cancel = clock.after(listenMs, () => end(undefined))
          },
          frame: () => {
            if (this.#isEnough()) end(undefined)
          },
          late: () => {},
          events: () => {},
          odd: () => {},
          subscribed: () => {},
          rejected: (refused, reason) => {
            for (const heard of this.heard) if (refused.includes(heard.topic)) heard.refused = reason
          },
          closing: () => {},
          closed: ({ reason }) => end(`${new URL(this.#url).host}: ${reason}`),
        },
      })
    })
  }

  #isEnough(): boolean {
    return this.heard.every(({ messages, refused }) => refused !== undefined || messages.length >= MESSAGES_ENOUGH)
  }

  #onFrame(bytes: Buffer): void {
    const { venue, platform, instruments } = this.#options
    const receiveTimeUs = platform.clock.nowUs()
    const decoded = venue.decode(bytes, receiveTimeUs, instruments)
    const odd = oddity(decoded)
    if (odd !== undefined) this.unknown.set(odd, (this.unknown.get(odd) ?? 0) + 1)
    const heard = this.heard.find(({ topic }) => topic.channel === channelOf(decoded))
    if (heard === undefined) return
    if (decoded.kind === 'malformed') heard.malformed ??= decoded.reason
    if (decoded.kind === 'events')
      for (const { exchange_time_us: timeUs } of decoded.events)
        if (timeUs !== undefined) this.delaysMs.push((receiveTimeUs - timeUs) / 1000)
    heard.firstMs ??= platform.clock.monotonicMs() - this.#openedMs
    const message = parsed(bytes)
    if (message !== undefined && heard.messages.length < MESSAGES_MAX) heard.messages.push(message)
  }
}

/** A word for what belongs to no stream. */
function oddity(decoded: Decoded): string | undefined {
  if (decoded.kind === 'unknown') return decoded.what
  return decoded.kind === 'malformed' && decoded.channel === undefined ? decoded.reason : undefined
}

function channelOf(decoded: Decoded): Channel | undefined {
  if (decoded.kind === 'malformed') return decoded.channel
  const [first] = decoded.kind === 'events' ? decoded.events : []
  return first && CHANNEL_OF[first.type]
}

/** The network, with every frame told to `onFrame` first. */
const tap = (net: Net, onFrame: (bytes: Buffer) => void): Net => ({
  connect: (options, handlers) =>
    net.connect(options, {
      ...handlers,
      frame(bytes) {
        onFrame(bytes)
        handlers.frame(bytes)
      },
    }),
})

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}
