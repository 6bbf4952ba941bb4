/** When trades were made, as far as that can be. One time from far ahead would make all that comes behind it seem old. Pure. */

import type { EpochUs } from '../model/event.ts'

/** Clocks differ, but no venue's is so far ahead of ours. */
const AHEAD_US_MAX = 86_400_000_000

/** `madeUs` cannot be when the venue made what was there at `atUs`. */
export const isFuture = (madeUs: EpochUs, atUs: EpochUs): boolean => madeUs - atUs > AHEAD_US_MAX

/** The newest time, with one more trade that came at `receiveUs`: where its own cannot be, it was made by then. */
export const newestMadeUs = (newestUs: EpochUs = 0, madeUs: EpochUs = 0, receiveUs: EpochUs): EpochUs =>
  Math.max(newestUs, isFuture(madeUs, receiveUs) ? receiveUs : madeUs)
