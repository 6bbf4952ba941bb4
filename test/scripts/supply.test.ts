/** What ships beside our own code: known, licensed, harmless to install, and listed where people look. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Shipped {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly hasInstallScript: boolean
}
interface Script {
  shippedPackages(): readonly Shipped[]
  thirdPartyPage(): { readonly path: string; readonly text: string }
}
const script: string = new URL('../../scripts/third-party.mjs', import.meta.url).href
const { shippedPackages, thirdPartyPage } = (await import(script)) as Script

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'))
/** All that a product may ship without asking anyone; a new one is a decision. */
const ALLOWED = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Unlicense']

test('every package that we depend on is among those that ship, and no tool of development is', () => {
  const names = shippedPackages().map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)))
  for (const name of ['typescript', 'vitest', '@biomejs/biome', 'fast-check']) expect(names).not.toContain(name)
})

test('none of them runs a script when it is installed', () => {
  expect(shippedPackages().filter(({ hasInstallScript }) => hasInstallScript)).toEqual([])
})

test('their licences are known and allowed', () => {
  expect(shippedPackages().filter(({ license }) => !ALLOWED.includes(license))).toEqual([])
})

test('docs/THIRD_PARTY.md is not stale', () => {
  const { path, text } = thirdPartyPage()
  expect(readFileSync(`${ROOT}/${path}`, 'utf8'), 'run `npm run docs`').toBe(text)
})

test('the bill of materials names each of them with its digest, and nothing of the machine that made it', {
  timeout: 60_000,
}, () => {
  const text = execFileSync(process.execPath, [`${ROOT}/scripts/sbom.mjs`], { encoding: 'utf8' })
  const { bomFormat, metadata, components } = JSON.parse(text)
  expect(bomFormat).toBe('CycloneDX')
  expect(metadata.component.name).toBe('marketprism')
  const key = ({ name, version }: { readonly name: string; readonly version: string }) => `${name}@${version}`
  expect([...new Set(components.map(componentKey))].sort()).toEqual([...new Set(shippedPackages().map(key))].sort())
  for (const { name, hashes } of components) expect(hashes?.[0]?.alg, name).toBe('SHA-512')
  expect(text).not.toContain(ROOT.replace(/\/$/, ''))
})

/** Of a scope, name and version: npm keeps the scope apart. */
function componentKey({
  group,
  name,
  version,
}: {
  readonly group?: string
  readonly name: string
  readonly version: string
}): string {
  return `${group === undefined ? '' : `${group}/`}${name}@${version}`
}
