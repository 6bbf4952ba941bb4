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

async function settled<Result>(loop: VirtualLoop, promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  await loop.run(loop.nowMs + 10)
  return promise
}

test('a new file is gone after a power failure unless its folder was synced, whatever was synced of it', async () => {
  const kept = new Set<boolean>()
  for (let seed = 1; seed <= 20; seed++) {
    const { loop, disk, files } = open(seed)
    const file = await settled(loop, files.create(PATH))
    await settled(loop, file.append([Buffer.from('one'), Buffer.from('two')]))
    await settled(loop, file.sync())
    if (seed > 10) await settled(loop, files.syncFolder('/data'))
    disk.losePower()
    if (seed > 10) expect(disk.text(PATH)).toBe('onetwo')
    else kept.add(disk.paths.includes(PATH))
  }
  expect(kept).toEqual(new Set([true, false]))
})

test('names that were not synced survive in the order in which they were changed', async () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 30; seed++) {
    const { loop, disk, files } = open(seed)
    disk.put('/data/a', Buffer.from('a'))
    await settled(loop, files.rename('/data/a', '/data/b'))
    await settled(loop, files.create('/data/c'))
    await settled(loop, files.remove('/data/b'))
    disk.losePower()
    seen.add(
      disk.paths
        .map((path) => path.slice(6))
        .sort()
        .join(''),
    )
  }
  for (const names of seen) expect(['a', 'ab', 'b', 'bc', 'c']).toContain(names)
  expect(seen.size).toBeGreaterThan(2)
})

test('what is written in the background may be half written when the process dies', async () => {
  const lengths = new Set<number>()
  for (let seed = 1; seed <= 30; seed++) {
    const { loop, scope, disk, files } = open(seed)
    const file = await settled(loop, files.create(PATH))
    void file.append([Buffer.from('0123456789')])
    scope.isAlive = false
    await loop.run(loop.nowMs + 10)
    lengths.add(disk.bytes(PATH)?.length ?? -1)
  }
  expect(Math.min(...lengths)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(10)
  expect(lengths.size).toBeGreaterThan(3)
})

test('a sync covers what was written before it began; one that fails, nothing', async () => {
  const { loop, disk, files } = open()
  const file = await settled(loop, files.create(PATH))
  await settled(loop, files.syncFolder('/data'))
  await settled(loop, file.append([Buffer.from('a')]))
  const sync = file.sync()
  await settled(loop, file.append([Buffer.from('b')]))
  await settled(loop, sync)
  disk.faults.add('sync')
  await expect(settled(loop, file.sync())).rejects.toMatchObject({ code: 'EIO' })
  disk.losePower()
  expect(['ab', 'a\0']).toContain(disk.text(PATH))
})

test('a disk that is full takes what fits', async () => {
  const { loop, disk, files } = open()
  disk.capacityBytes = 7
  const file = await settled(loop, files.create(PATH))
  await expect(settled(loop, file.append([Buffer.from('0123456789')]))).rejects.toMatchObject({ code: 'ENOSPC' })
  expect(disk.text(PATH)).toBe('0123456')
  expect(await settled(loop, files.freeBytes('/data'))).toBe(0)
  await settled(loop, files.truncate(PATH, 2))
  expect(await settled(loop, files.readAt(PATH, 1, 10))).toEqual(Buffer.from('1'))
  expect(await settled(loop, files.size(PATH))).toBe(2)
  await expect(settled(loop, files.create(PATH))).rejects.toMatchObject({ code: 'EEXIST' })
  await expect(settled(loop, files.remove('/data/none'))).rejects.toMatchObject({ code: 'ENOENT' })
  expect(await settled(loop, files.list('/data'))).toEqual(['x.log'])
})
