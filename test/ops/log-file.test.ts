import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLogFile } from '../../src/ops/log-file.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-log-file-'))
  path = join(folder, 'collector.log')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const sizes = (): Record<string, number> =>
  Object.fromEntries(readdirSync(folder).map((file) => [file, statSync(join(folder, file)).size]))
const text = (file: string): string => readFileSync(join(folder, file), 'utf8')

test('80 MB into 10 MB x 5: never a sixth file, never one beyond its size, the newest lines are there in order', () => {
  const bytesMax = 10_485_760
  const file = openLogFile({ path, bytesMax, countMax: 5 })
  const padding = 'x'.repeat(1000)
  const lines = 80_000
  let filesMax = 0
  for (let line = 0; line < lines; line++) {
    file.write(`${line} ${padding}\n`)
    if (line % 500 !== 0) continue
    const now = sizes()
    filesMax = Math.max(filesMax, Object.keys(now).length)
    for (const [name, size] of Object.entries(now)) if (size > bytesMax) expect.fail(`${name} has ${size} bytes`)
  }
  file.close()
  expect(filesMax).toBe(5)
  const names = ['collector.log.4', 'collector.log.3', 'collector.log.2', 'collector.log.1', 'collector.log']
  expect(Object.keys(sizes()).sort()).toEqual([...names].sort())
  const numbers = names.flatMap((name) =>
    text(name)
      .trimEnd()
      .split('\n')
      .map((line) => Number.parseInt(line, 10)),
  )
  expect(numbers.at(-1)).toBe(lines - 1)
  expect(numbers.every((number, index) => index === 0 || number === (numbers[index - 1] ?? 0) + 1)).toBe(true)
  expect(numbers.length).toBeGreaterThan((4 * bytesMax) / 1100)
})

test('what an earlier run wrote counts, and its surplus files go', () => {
  for (const name of ['collector.log', 'collector.log.1', 'collector.log.2', 'collector.log.7', 'collector.log.md']) {
    writeFileSync(join(folder, name), `${name}\n`)
  }
  const file = openLogFile({ path, bytesMax: 20, countMax: 3 })
  file.write('123456\n')
  expect(text('collector.log')).toBe('123456\n')
  expect(text('collector.log.1')).toBe('collector.log\n')
  expect(text('collector.log.2')).toBe('collector.log.1\n')
  expect(Object.keys(sizes()).sort()).toEqual([
    'collector.log',
    'collector.log.1',
    'collector.log.2',
    'collector.log.md',
  ])
  file.close()
})

test('a line longer than the limit has a file of its own; with one file there is only that', () => {
  const file = openLogFile({ path, bytesMax: 10, countMax: 1 })
  file.write('1\n')
  file.write('a long line, far beyond the limit\n')
  expect(text('collector.log')).toBe('a long line, far beyond the limit\n')
  file.write('2\n')
  expect(sizes()).toEqual({ 'collector.log': 2 })
  file.close()
})

test('what cannot be written is counted, and writing goes on when it can', () => {
  const file = openLogFile({ path, bytesMax: 10, countMax: 2 })
  file.write('12345678\n')
  // The next rotation cannot put the old file here: a folder with something in it is in the way.
  mkdirSync(`${path}.1`)
  writeFileSync(join(`${path}.1`, 'x'), '')
  file.write('lost 1\n')
  file.write('lost 2\n')
  expect(file.lostLines).toBe(2)
  rmSync(`${path}.1`, { recursive: true })
  file.write('back\n')
  expect(text('collector.log')).toBe('back\n')
  expect(text('collector.log.1')).toBe('12345678\n')
  file.close()
})

test('a path that cannot be used is noticed at the start', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => openLogFile({ path: join(folder, 'file', 'x.log'), bytesMax: 10, countMax: 2 })).toThrow(
    /ENOTDIR|EEXIST/,
  )
})

test('a folder that was removed is there again with the next file', () => {
  const file = openLogFile({ path, bytesMax: 10, countMax: 2 })
  file.write('12345678\n')
  rmSync(folder, { recursive: true })
  file.write('next\n')
  expect(file.lostLines).toBe(0)
  expect(sizes()).toEqual({ 'collector.log': 5 })
  file.close()
})
