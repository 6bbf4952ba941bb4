import { expect, test } from 'vitest'
import { watchDisk } from '../../src/ops/disk-watch.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { settle } from '../helpers/world.ts'
import { fakeClock } from './fake-clock.ts'

test('the room on the disk is asked for every ten seconds, once at a time; what fails shows nothing', async () => {
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const clock = fakeClock()
  const answers: { resolve(bytes: number): void; reject(error: Error): void }[] = []
  const freeBytes = (folder: string) =>
    new Promise<number>((resolve, reject) => {
      expect(folder).toBe('/data')
      answers.push({ resolve, reject })
    })
  const shown = async () => /^marketprism_data_disk_free_bytes (.*)$/m.exec(await metrics.text())?.[1]
  const stop = watchDisk({ metrics, clock, files: { freeBytes }, folder: '/data' })
  expect(await shown(), 'not known yet').toBeUndefined()

  clock.advance(60_000)
  expect(answers, 'a disk that does not answer').toHaveLength(1)
  answers[0]?.resolve(1234)
  await settle()
  expect(await shown()).toBe('1234')

  clock.advance(10_000)
  answers[1]?.reject(new Error('gone'))
  await settle()
  expect(await shown()).toBeUndefined()

  stop()
  clock.advance(60_000)
  expect(answers).toHaveLength(2)
})
