import type { Random } from './platform.ts'

/** A reproducible generator (mulberry32): 32 bits of state are plenty for tests and simulators, never for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A seed for one part of a seeded whole: parts draw independently of each other and of their order. */
export function partSeed(seed: number, part: string): number {
  let hash = (2166136261 ^ seed) >>> 0
  for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 16777619) >>> 0
  return hash
}
