/** The connections of one venue: which of them carries each feed, never above the venue's limits. */

import { Connection, type Loss } from './connection.ts'
import type { ConnectionOptions } from './connection-ports.ts'
import type { Feed } from './feed.ts'
import { placeFeeds } from './plan.ts'
import { Window } from './window.ts'

/** URLs of each endpoint, tried in turn. */
export type EndpointUrls = Readonly<Record<string, readonly string[]>>

export interface ConnectionsOptions
  extends Pick<ConnectionOptions, 'venue' | 'platform' | 'instruments' | 'sequenceOf' | 'handlers'> {
  readonly endpoints: EndpointUrls
}

interface Open {
  readonly endpoint: string
  readonly connection: Connection
}

export class Connections {
  readonly #options: ConnectionsOptions
  readonly #connects: Window
  readonly #connectionOf = new Map<Feed, Connection>()
  #endpoints: EndpointUrls
  #all: readonly Open[] = []

  constructor(options: ConnectionsOptions) {
    const { count, windowMs } = options.venue.socketLimits.connects
    this.#options = options
    this.#connects = new Window(count, windowMs)
    this.#endpoints = options.endpoints
  }

  get count(): number {
    return this.#all.length
  }

  get openCount(): number {
    return this.#all.filter(({ connection }) => connection.isOpen).length
  }

  isOpen(feed: Feed): boolean {
    return this.#connectionOf.get(feed)?.isOpen === true
  }

  restart(feed: Feed, loss: Loss): void {
    this.#connectionOf.get(feed)?.restart(feed, loss)
  }

  /** Feeds without a connection join one that has room, an open one first; the others get new ones. */
  add(feeds: readonly Feed[]): void {
    const { venue } = this.#options
    const all = [...this.#all].sort((a, b) => Number(b.connection.isOpen) - Number(a.connection.isOpen))
    const rooms = all.map(({ endpoint, connection }) => ({
      endpoint,
      places: venue.socketLimits.topicsPerConnectionMax - [...connection.feeds].length,
    }))
    const wanted = feeds.filter((feed) => !this.#connectionOf.has(feed))
    const { joining, opening } = placeFeeds(venue, wanted, rooms)
    for (const [index, { connection }] of all.entries()) this.#join(connection, joining[index] ?? [])
    const opened = opening.map(({ endpoint, feeds: own }) => this.#open(endpoint, own))
    this.#all = [...this.#all, ...opened]
    for (const { connection } of opened) connection.start()
  }

  /** Nothing more is asked for of the feeds; a connection without any closes. */
  drop(feeds: readonly Feed[]): void {
    for (const { connection } of this.#all) {
      const own = feeds.filter((feed) => this.#connectionOf.get(feed) === connection)
      for (const feed of own) this.#connectionOf.delete(feed)
      if (own.length > 0 && !connection.drop(...own)) this.#forget(connection)
    }
  }

  /** The endpoints have moved. What is open is replaced without a break; what is not begins at the new place. */
  move(endpoints: EndpointUrls, reason: string): void {
    const before = this.#endpoints
    this.#endpoints = endpoints
    for (const { endpoint, connection } of this.#all) {
      if (String(before[endpoint]) === String(endpoints[endpoint])) continue
      if (connection.isOpen) connection.rotate(reason)
      else this.#replace(connection)
    }
  }

  stop(): void {
    for (const { connection } of this.#all) connection.stop()
  }

  #join(connection: Connection, feeds: readonly Feed[]): void {
    if (feeds.length === 0) return
    for (const feed of feeds) this.#connectionOf.set(feed, connection)
    connection.add(feeds)
  }

  #open(endpoint: string, feeds: readonly Feed[]): Open {
    const { venue, platform, instruments, sequenceOf, handlers } = this.#options
    const urls = () => this.#endpoints[endpoint] ?? []
    const connection = new Connection({
      venue,
      // Read each time a link opens, so that it opens where the endpoint is by then.
      get urls() {
        return urls()
      },
      feeds,
      platform,
      instruments,
      connects: this.#connects,
      sequenceOf,
      handlers,
    })
    for (const feed of feeds) this.#connectionOf.set(feed, connection)
    return { endpoint, connection }
  }

  #replace(connection: Connection): void {
    const feeds = [...connection.feeds]
    this.#forget(connection)
    connection.stop()
    for (const feed of feeds) this.#connectionOf.delete(feed)
    this.add(feeds)
  }

  #forget(connection: Connection): void {
    this.#all = this.#all.filter((open) => open.connection !== connection)
  }
}
