import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { hasSharedData, sharedFile, WHY_SKIPPED } from '../helpers/shared-data.ts'
import { build, MAIN } from './command.ts'

const CHECK = sharedFile('../check/capture-check.mjs')
const isThere = hasSharedData && existsSync(CHECK)
if (hasSharedData && !isThere) console.warn(`SKIPPED: the program that checks recordings is not at ${CHECK}`)

/** The smaller recordings; the check itself runs over all of them. */
const RECORDINGS = [
  'binance.20211012',
  'binance.20210417',
  'binance-us.20210405',
  'binance-usdm.20210722',
  'binance-usdm.ethusdt.20231230',
  'okx.20220513',
  'okx.20210722',
  'deribit.20210722',
  'vector tardis',
]

describe.skipIf(!isThere)(isThere ? 'recordings' : `recordings: ${WHY_SKIPPED}`, () => {
  beforeAll(build, 120_000)

  test.each(RECORDINGS)(
    '%s: every fact and every book, digit by digit',
    (name) => {
      const program = [process.execPath, MAIN, 'normalize']
      const { stdout, status } = spawnSync(
        process.execPath,
        [CHECK, join(sharedFile('')), '--only', name, '--', ...program],
        {
          encoding: 'utf8',
        },
      )
      expect(stdout).toMatch(/(?:^|\n)[1-9]\d* captures ok, 0 not\n$/)
      expect(status, stdout).toBe(0)
    },
    60_000,
  )
})
