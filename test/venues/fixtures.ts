import { readdirSync, readFileSync } from 'node:fs'
import type { Instruments } from '../../src/venues/venue.ts'

/** One message as the venue documents it, and all that it means. */
export interface Fixture {
  readonly venue: string
  readonly name: string
  /** The venue's page that shows the message. */
  readonly source: string
  /** The bytes of the frame. */
  readonly frame: Uint8Array
  readonly receive_time_us: number
  readonly expect: { readonly kind: string; readonly events?: readonly { readonly type: string }[] }
}

const root = new URL('../fixtures/', import.meta.url)

export const NO_INSTRUMENTS: Instruments = new Map()

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The fixtures of a venue; `folder`: where they are. A frame that is text stands for itself; anything else is sent as JSON. */
export function fixturesOf(venue: string, folder = new URL(`${venue}/`, root)): Fixture[] {
  return readdirSync(folder).map((file) => {
    const fixture = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    const text = typeof fixture.frame === 'string' ? fixture.frame : JSON.stringify(fixture.frame)
    return { ...fixture, venue, name: file.replace('.json', ''), frame: bytes(text) }
  })
}

/** Folders that hold fixtures. */
export const fixtureVenues = (): string[] => readdirSync(root)
