import { InvalidArgumentError } from 'commander'

const SECONDS_MIN = 0.1

/** Reads a flag of seconds. Errors: throws commander's error for anything but a number from 0.1 to `max`. */
export const secondsUpTo =
  (max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (/^\d+(\.\d+)?$/.test(text) && value >= SECONDS_MIN && value <= max) return value
    throw new InvalidArgumentError(`expected ${SECONDS_MIN} to ${max} seconds`)
  }
