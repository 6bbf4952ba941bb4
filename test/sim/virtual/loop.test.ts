import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import { START_US, virtualClock } from '../../../src/sim/virtual/clock.ts'
import { Scope, VirtualLoop } from '../../../src/sim/virtual/loop.ts'

test('what is due first happens first; at the same time, in the order in which it was planned', async () => {
  const loop = new VirtualLoop()
  const scope = new Scope()
  const random = seededRandom(3)
  const planned = Array.from({ length: 2_000 }, (_, i) => ({ dueMs: Math.floor(random() * 300), i }))
  const seen: { dueMs: number; i: number }[] = []
  for (const each of planned) loop.at(each.dueMs, scope, () => seen.push(each))
  await loop.run(200)
  expect(seen).toEqual(planned.filter(({ dueMs }) => dueMs <= 200).sort((a, b) => a.dueMs - b.dueMs || a.i - b.i))
  expect(loop.nowMs).toBe(200)
  await loop.run(300)
  expect(seen).toHaveLength(2_000)
})

test('timers repeat, can be stopped, and die with their scope', async () => {
  const loop = new VirtualLoop()
  const process = new Scope()
  const clock = virtualClock(loop, process)
  const seen: string[] = []
  const stop = clock.every(10, () => seen.push(`every ${clock.monotonicMs()}`))
  const cancel = clock.after(25, () => seen.push('never'))
  clock.after(15, () => {
    cancel()
    seen.push('once')
  })
  await loop.run(30)
  stop()
  clock.after(100, () => seen.push('dead'))
  process.isAlive = false
  await loop.run(1_000)
  expect(seen).toEqual(['every 10', 'once', 'every 20', 'every 30'])
})

test('a stalled scope gets everything when it wakes, its own timers first or not', async () => {
  for (const areTimersFirst of [true, false]) {
    const loop = new VirtualLoop()
    const stalled = new Scope()
    const seen: string[] = []
    loop.at(5, stalled, () => seen.push('packet'), true)
    loop.at(6, stalled, () => seen.push('timer'))
    loop.stall(stalled)
    await loop.run(50)
    expect(seen).toEqual([])
    loop.wake(stalled, areTimersFirst)
    await loop.run(50)
    expect(seen).toEqual(areTimersFirst ? ['timer', 'packet'] : ['packet', 'timer'])
  }
})

test('promises that were settled are acted on before the next event', async () => {
  const loop = new VirtualLoop()
  const scope = new Scope()
  const seen: string[] = []
  const answer = new Promise<void>((resolve) => {
    loop.at(1, scope, () => {
      resolve()
    })
  })
  const chain = async () => {
    await answer
    for (let i = 0; i < 40; i++) await Promise.resolve()
    seen.push('answer')
  }
  void chain()
  loop.at(1, scope, () => seen.push('next'))
  await loop.run(2)
  expect(seen).toEqual(['answer', 'next'])
})

test('the wall clock follows a jump forward, and waits after a jump back', async () => {
  const loop = new VirtualLoop()
  const wall = { offsetUs: 0 }
  const clock = virtualClock(loop, new Scope(), wall)
  const venue = virtualClock(loop, new Scope(), wall, true)
  await loop.run(1_000)
  expect(clock.nowUs()).toBe(START_US + 1_000_000)
  wall.offsetUs = -500_000
  expect([clock.nowUs(), venue.nowUs()]).toEqual([START_US + 1_000_000, START_US + 500_000])
  wall.offsetUs = 2_000_000
  expect(clock.nowUs()).toBe(START_US + 3_000_000)
  expect(clock.monotonicMs()).toBe(1_000)
})

test('fifty thousand timers a second and more', async () => {
  const loop = new VirtualLoop()
  const clock = virtualClock(loop, new Scope())
  for (let i = 0; i < 1_000; i++) clock.every(7 + (i % 13), () => {})
  const { user } = process.cpuUsage()
  await loop.run(2_000)
  const seconds = (process.cpuUsage().user - user) / 1e6
  expect(loop.count).toBeGreaterThan(100_000)
  expect(loop.count / seconds).toBeGreaterThan(50_000)
})
