// `npm run sbom [file]`: the list of what ships, in CycloneDX, from package-lock.json. Without a file to standard output.
// npm makes the whole list. What ships is chosen here: its `--omit=dev` also leaves out what both we and a tool of
// development need (`yaml`). Its time and serial number go, so that the same lockfile makes the same bytes.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './setup.mjs'
import { shippedPackages } from './third-party.mjs'

const [target] = process.argv.slice(2)
const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application']
const { serialNumber: _, ...bill } = JSON.parse(
  execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
)
const { name } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
delete bill.metadata.timestamp
// npm calls the program like the folder that it stands in.
bill.metadata.component.name = name
const shipped = new Set(shippedPackages().map((each) => `${each.name}@${each.version}`))
const nameOf = ({ group, name, version }) => `${group === undefined ? '' : `${group}/`}${name}@${version}`
bill.components = bill.components.filter((component) => shipped.has(nameOf(component)))
const kept = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']))
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }))
const text = `${JSON.stringify(bill, null, 2)}\n`
if (target === undefined) process.stdout.write(text)
else {
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
}
