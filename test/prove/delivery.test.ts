/** Delivery to real servers, with small counts; one after the other, because each of them is several busy processes. */

import { beforeAll, describe, test } from 'vitest'
import { delivery } from '../../src/check/prove/delivery.ts'
import { full } from '../../src/check/prove/full.ts'
import { restore } from '../../src/check/prove/restore.ts'
import { smallDiskMissing } from '../../src/check/prove/servers/small-disk.ts'
import { natsMissing } from '../helpers/nats-server.ts'
import { build, expectProven } from './few.ts'

beforeAll(build, 120_000)

const diskMissing = smallDiskMissing()
if (diskMissing !== undefined) console.warn(`Not tested on a full disk: ${diskMissing}`)

describe.skipIf(natsMissing !== undefined)('with few', { timeout: 300_000 }, () => {
  test('delivery', () => expectProven(delivery, 6))
  test('restore', () => expectProven(restore, 2))
  test.skipIf(diskMissing !== undefined)('full', () => expectProven(full, 3))
})
