// The packages that ship with the program and their licences, from package-lock.json: docs/THIRD_PARTY.md.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const LOCK = fileURLToPath(new URL('../package-lock.json', import.meta.url))
const FOLDER = 'node_modules/'

/** Every package that is installed without the development ones; by name, then version. */
export function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'))
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path.includes(FOLDER) && !dev && !devOptional)
    .map(([path, { version, license, hasInstallScript = false }]) => ({
      name: path.slice(path.lastIndexOf(FOLDER) + FOLDER.length),
      version,
      license: license ?? 'not named',
      hasInstallScript,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1))
}

export function thirdPartyPage() {
  const shipped = shippedPackages()
  const licences = [...new Set(shipped.map(({ license }) => license))].sort()
  const counts = licences.map((name) => `${name} ${shipped.filter(({ license }) => license === name).length}`)
  const rows = shipped.map(({ name, version, license }) => `| \`${name}\` | ${version} | ${license} |`)
  const text = `# Third-party packages

<!-- Made by \`npm run docs\` from package-lock.json; do not edit. -->

What ships with the program: ${shipped.length} packages (${counts.join(', ')}). Each brings the text of its licence in its own folder.

| package | version | licence |
| ------- | ------- | ------- |
${rows.join('\n')}
`
  return { path: 'docs/THIRD_PARTY.md', text }
}
