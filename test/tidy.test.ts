/** Properties of the code itself: who may import whom, how big a file may be, what only one place may do. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const root = new URL('../src/', import.meta.url)
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const read = (file: string) => readFileSync(new URL(file, root), 'utf8')
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/** A folder may import these others, and itself. The drawing is in docs/ARCHITECTURE.md. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  platform: ['model'],
  book: ['model'],
  venues: ['model', 'book'],
  ledger: ['model', 'platform'],
  feed: ['model', 'book', 'venues', 'ledger', 'platform'],
  spool: ['model', 'platform'],
  sinks: ['model', 'spool', 'platform'],
  ops: ['model', 'venues', 'platform'],
  service: ['model', 'ops', 'platform'],
  api: ['model', 'service', 'platform'],
  collector: ['model', 'book', 'venues', 'feed', 'ledger', 'spool', 'sinks', 'ops', 'service', 'api', 'platform'],
  sim: ['model', 'platform'],
  doctor: ['model', 'venues', 'feed', 'sinks', 'ops', 'collector', 'platform'],
  check: ['model', 'venues', 'ledger', 'sim', 'sinks', 'ops', 'collector', 'platform'],
  cli: ['model', 'venues', 'ops', 'spool', 'collector', 'platform', 'sim', 'service', 'api', 'doctor'],
}

const LINES_MAX = 300

/** Words that only some places may use, so that everything else can run in simulated time, on simulated sockets. */
const ONLY_IN: readonly { readonly what: RegExp; readonly places: RegExp; readonly why: string }[] = [
  { what: /process\.env/, places: /^ops\/environment\.ts$/, why: 'only ops/environment.ts reads the environment' },
  {
    what: /Date\.now|performance\.now|\bset(Timeout|Interval|Immediate)\(|Math\.random|crypto\.random/,
    places: /^platform\//,
    why: 'time and chance come from the platform',
  },
  {
    what: /from 'node:(net|http|https|dgram|tls|dns)'|from 'ws'/,
    places: /^(platform|sim|service|api|check\/prove\/(clients|servers))\//,
    why: 'only the platform, the API, the simulators, and the clients and servers of proofs touch sockets',
  },
  {
    what: /from 'node:fs(\/promises)?'/,
    places: /^(platform|ops|sim|cli|check\/prove\/servers)\//,
    why: 'only the edges touch files',
  },
]

describe.each(files)('%s', (file) => {
  const text = read(file)
  const code = withoutComments(text)
  const folder = file.includes('/') ? (file.split('/')[0] as string) : ''

  test('is one job', () => {
    expect(text.split('\n').length, `at most ${LINES_MAX} lines`).toBeLessThanOrEqual(LINES_MAX)
  })

  test('imports only what its place allows', () => {
    const targets = [...code.matchAll(/from '(?:\.\.\/)+([a-z]+)\//g)].map(([, target]) => target as string)
    if (!(folder in MAY_IMPORT)) return
    for (const target of targets) {
      expect([folder, ...(MAY_IMPORT[folder] ?? [])], `${folder} must not import ${target}`).toContain(target)
    }
  })

  test('leaves the world to its places', () => {
    for (const { what, places, why } of ONLY_IN) if (!places.test(file)) expect(code, why).not.toMatch(what)
    expect(code, 'finish it, or leave it out').not.toMatch(
      /\bTODO\b|\bFIXME\b|@ts-ignore|:\s*any\s*[,;)=\]]|\bas any\b/,
    )
  })
})

test('shared code never names a venue', () => {
  for (const file of files.filter((name) => /^(model|book|feed|collector|api|service|sinks)\//.test(name))) {
    const code = withoutComments(read(file)).replace(/import .*/g, '')
    expect(code.match(/'(binance|okx|deribit)[a-z-]*'/g) ?? [], file).toEqual([])
  }
})
