/** What can be said of the Dockerfile without a builder; test/deploy/image.test.ts builds and runs it. */

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const lines = read('deploy/docker/Dockerfile')
  .replace(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
const values = (instruction: string): string[] =>
  lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1))

test('what it copies is there, and is all that is sent to the builder', () => {
  const copied = values('COPY')
    .filter((arguments_) => !arguments_.startsWith('--from'))
    .flatMap((arguments_) => arguments_.split(' ').slice(0, -1))
  for (const path of copied) expect(existsSync(`${root}${path}`), path).toBe(true)
  const sent = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
  expect(sent.map((line) => line.slice(1)).toSorted()).toEqual([...new Set(copied)].toSorted())
})

test('two stages on one base with an exact version, of the Node.js that the package wants', () => {
  const stages = values('FROM')
  expect(stages).toHaveLength(2)
  for (const stage of stages) expect(stage).toMatch(/^\$\{BASE_IMAGE\}( AS build)?$/)
  const version = /^BASE_IMAGE=docker\.io\/library\/node:(\d+)\.\d+\.\d+-\w+-slim$/.exec(values('ARG')[0] ?? '')?.[1]
  expect(Number(version)).toBeGreaterThanOrEqual(20)
})

test('the version of the image is that of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { readonly version: string }
  expect(values('ARG')).toContain(`VERSION=${version}`)
})
