/** The dashboard's files: served from memory, under a policy that allows nothing from elsewhere. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readWebFiles } from '../../src/platform/web-files.ts'
import { ask, errorProblems } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const FILES = new Map(
  Object.entries({
    'index.html': '<!doctype html>',
    'main.js': 'export {}',
    'parts/a.css': 'a{}',
    'note.txt': 'x',
  }).map(([name, text]) => [name, Buffer.from(text)]),
)

let running: RunningApi
afterEach(() => running.api.stop())

test('the page and its files, with their types and a policy without inline scripts or other hosts', async () => {
  running = await startApi({ dashboard: FILES, config: { token: 'secret' } })
  for (const [path, type] of [
    ['/', 'text/html; charset=utf-8'],
    ['/dashboard/main.js', 'text/javascript; charset=utf-8'],
    ['/dashboard/parts/a.css', 'text/css; charset=utf-8'],
  ] as const) {
    const { status, headers } = await ask(running.url, path)
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, type, 'no-store'])
    expect(headers['x-content-type-options']).toBe('nosniff')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|https?:|\*|data:/)
  }
})

test('nothing else exists there', async () => {
  running = await startApi({ dashboard: FILES })
  for (const name of [
    '',
    'nope.js',
    'note.txt',
    '../package.json',
    '..%2fpackage.json',
    '%2e%2e/main.js',
    'main.js/',
  ]) {
    expect(errorProblems(await ask(running.url, `/dashboard/${name}`), 'NOT_FOUND'), name).toEqual([])
  }
})

test('without a build the page says what to do', async () => {
  running = await startApi()
  const answer = await ask(running.url, '/')
  expect(errorProblems(answer, 'NOT_FOUND', 'The dashboard is not built; `npm run build` builds it.')).toEqual([])
})

test('files are read with their folders; a missing folder has none', async () => {
  running = await startApi()
  const folder = mkdtempSync(join(tmpdir(), 'web-files-'))
  mkdirSync(join(folder, 'parts'))
  writeFileSync(join(folder, 'index.html'), 'page')
  writeFileSync(join(folder, 'parts', 'a.js'), 'script')
  const texts = [...readWebFiles(folder)].map(([name, bytes]) => [name, bytes.toString()])
  expect(Object.fromEntries(texts)).toEqual({ 'index.html': 'page', 'parts/a.js': 'script' })
  rmSync(folder, { recursive: true })
  expect(readWebFiles(folder).size).toBe(0)
})
