import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Entry {
  readonly version?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly hasInstallScript?: boolean
}

const read = (file: string) => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'))
const packages: Readonly<Record<string, Entry>> = read('package-lock.json').packages
const manifest: Entry = read('package.json')

test('the lockfile says what package.json says, to the digit', () => {
  const { '': root } = packages
  expect(root?.dependencies).toEqual(manifest.dependencies)
  expect(root?.devDependencies).toEqual(manifest.devDependencies)
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) {
    expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  }
})

test('the lockfile names the packages of all platforms: npm ci refuses it otherwise', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
    ),
  )
  // npm leaves them out when it cannot find them while it writes the lockfile. Take their entries from the last commit.
  expect(missing).toEqual([])
})

test('no package that we ship with runs scripts when it is installed', () => {
  const scripted = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript === true)
  // fsevents watches files for vitest on macOS and works without its script.
  expect(scripted.map(([path]) => path).filter((path) => !path.endsWith('/fsevents'))).toEqual([])
})
