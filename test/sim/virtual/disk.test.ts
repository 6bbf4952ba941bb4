import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import { VirtualDisk } from '../../../src/sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../../../src/sim/virtual/loop.ts'

const PATH = '/data/x.log'

function open(seed = 1) {
  const loop = new VirtualLoop()
  const scope = new Scope()
  const disk = new VirtualDisk(loop, seededRandom(seed))
  const durable: string[] = []
  disk.onDurable = (_path, text) => durable.push(text)
  return { loop, scope, disk, files: disk.files(scope), durable }
}

test('a process that dies keeps what it wrote; a power loss keeps what was synced, and a beginning of the rest', () => {
  const kept = new Set<string>()
  for (let seed = 1; seed <= 200; seed++) {
    const { disk, files, durable } = open(seed)
    const file = files.append(PATH)
    file.append('one\n')
    file.sync()
    file.append('two\n')
    file.append('three\n')
    expect(file.size).toBe(14)
    expect(disk.text(PATH)).toBe('one\ntwo\nthree\n')
    expect(durable).toEqual(['one\n'])
    disk.losePower()
    kept.add(disk.text(PATH) ?? 'gone')
  }
  for (const text of kept) expect('one\ntwo\nthree\n'.startsWith(text) && text.startsWith('one\n')).toBe(true)
  expect(kept.size).toBeGreaterThan(5)
})

test('what a failed sync covered stays in doubt, also after a good one', () => {
  const kept = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const { disk, files } = open(seed)
    const file = files.append(PATH)
    file.append('aa')
    disk.faults.add('sync')
    expect(() => file.sync()).toThrow('EIO')
    disk.faults.clear()
    file.append('bb')
    file.sync()
    expect(disk.text(PATH)).toBe('aabb')
    disk.losePower()
    kept.add(disk.text(PATH) ?? 'gone')
  }
  expect([...kept].sort()).toEqual(['\0\0bb', 'aabb'])
})

test('a full disk takes a part and says so; an open file of a dead process is continued by the next', () => {
  const { disk, files } = open()
  const file = files.append(PATH)
  file.append('0123456789')
  disk.faults.add('full')
  expect(() => file.append('0123456789')).toThrow('ENOSPC')
  expect(file.size).toBeGreaterThanOrEqual(10)
  expect(file.size).toBeLessThan(20)
  disk.faults.clear()
  expect(files.append(PATH).size).toBe(file.size)
  disk.faults.add('error')
  expect(() => files.append(PATH)).toThrow('EIO')
})

test('what was replaced survives a power failure', async () => {
  const seen = new Set<string | undefined>()
  for (let seed = 1; seed <= 20; seed++) {
    const { loop, disk, files } = open(seed)
    void files.replace(PATH, 'old')
    await loop.run(10_000)
    void files.replace(PATH, 'new')
    await loop.run(10_010)
    disk.losePower()
    seen.add(disk.text(PATH))
  }
  expect([...seen].sort()).toEqual(['new'])
})

test('a dead process gets no answer', async () => {
  const { loop, scope, files } = open()
  let isAnswered = false
  void files.read(PATH).then(() => {
    isAnswered = true
  })
  scope.isAlive = false
  await loop.run(100)
  expect(isAnswered).toBe(false)
})
