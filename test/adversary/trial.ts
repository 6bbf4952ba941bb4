/** Waits until everything has settled, and judges. */

import { expect } from 'vitest'
import type { Consumer, Delivered, GapRecord } from './consumer.ts'
import { type Case, falseAlarms, incompleteness, miscounts, problems, wrongBooks } from './judge.ts'
import type { Stream } from './market.ts'
import { until } from './wait.ts'

/** How late a message may reach the service on a busy machine, real time. */
export const SLACK_US = 100_000

export interface Trial {
  readonly streams: readonly Stream[]
  readonly delivered: readonly Delivered[]
  /** What was published in between counts. */
  readonly sinceUs: number
  readonly untilUs: number
  readonly slackUs: number
  readonly untold?: readonly (readonly [fromUs: number, untilUs: number])[]
}

const nameOf = ({ venue, channel, symbol }: GapRecord): string => `${venue} ${channel} ${symbol}`

async function caseOf(trial: Trial, consumer: Consumer): Promise<Case> {
  const names = new Set(trial.streams.map(({ name }) => name))
  return { ...trial, gaps: (await consumer.gaps()).filter((gap) => names.has(nameOf(gap))) }
}

/** Resolves when every fact is accounted for, no gap is open and every book is the truth. Errors: rejects with what is not so. */
export async function settled(trial: Trial, consumer: Consumer): Promise<Case> {
  let found = await caseOf(trial, consumer)
  let wrong: string[] = []
  await until(
    () => `\n${wrong.join('\n')}\n`,
    async () => {
      found = await caseOf(trial, consumer)
      const open = found.gaps.filter(({ state }) => state === 'open').map((gap) => `open: ${JSON.stringify(gap)}`)
      wrong = [...problems(found), ...open]
      if (wrong.length === 0) wrong = await wrongBooks(trial.streams, consumer)
      return wrong.length === 0
    },
    25_000,
  )
  return found
}

/**
 * Everything is accounted for, counted right, adds up, and nothing else is claimed. `unknowable`: gaps that the service
 * cannot know to be empty.
 */
export async function expectHonest(
  trial: Trial,
  consumer: Consumer,
  unknowable: (gap: GapRecord) => boolean = () => false,
): Promise<Case> {
  const found = await settled(trial, consumer)
  expect(falseAlarms({ ...found, gaps: found.gaps.filter((gap) => !unknowable(gap)) })).toEqual([])
  expect(miscounts(found)).toEqual([])
  expect(incompleteness(found, await consumer.completeness())).toEqual([])
  return found
}

/** There are so many gaps of each kind, or more. */
export function expectGaps(gaps: readonly GapRecord[], wanted: Readonly<Record<string, number>>): void {
  const tally = tallyOf(gaps)
  const missing = Object.entries(wanted).filter(([kind, count]) => (tally[kind] ?? 0) < count)
  expect(missing, JSON.stringify(tally)).toEqual([])
}

/** How many gaps there are of each kind: `trade sequence_gap healed`. */
export function tallyOf(gaps: readonly GapRecord[]): Record<string, number> {
  const tally: Record<string, number> = {}
  for (const { channel, cause, state } of gaps) {
    const kind = `${channel} ${cause} ${state}`
    tally[kind] = (tally[kind] ?? 0) + 1
  }
  return tally
}
