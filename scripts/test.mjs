// `npm test`: sets up what is missing, the programs that some tests use included, then runs all tests. Arguments go to vitest.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { npm, ROOT, say, setUp } from './setup.mjs'

/** Programs that tests use, the Debian package of each, and what is not tested without it. */
const PROGRAMS = [
  {
    program: 'promtool',
    pack: 'prometheus',
    without: 'the check of /metrics (test/ops/metrics.test.ts), the alerts (test/deploy)',
  },
  {
    program: 'nats-server',
    pack: 'nats-server',
    without: 'delivery to NATS (test/sinks/nats, test/prove/delivery.test.ts, test/examples/programs.test.ts)',
  },
  { program: 'chromium', pack: 'chromium', without: 'the dashboard in a browser (test/web/browser)' },
  { program: 'buildah', pack: 'buildah', without: 'the image (test/deploy/image.test.ts)' },
  { program: 'runc', pack: 'runc', without: 'the image (test/deploy/image.test.ts)' },
  { program: 'docker-compose', pack: 'docker-compose', without: 'compose.yaml by its own program (test/deploy)' },
]

/** Large packages that only tests use, each a workspace of its own so that nobody else installs it. */
const WORKSPACES = [
  {
    folder: 'tools/clickhouse',
    // The engine itself is an optional package of each platform.
    proof: join('node_modules', '@chdb'),
    instead: 'CLICKHOUSE_URL',
    without: 'the ClickHouse sink against a server (test/sinks/clickhouse, test/examples/programs.test.ts)',
  },
  {
    folder: 'tools/duckdb',
    proof: join('node_modules', '@duckdb'),
    without: 'that DuckDB reads the lake (test/sinks/lake/readback.test.ts)',
  },
]

setUp()
installPrograms()
installWorkspaces()
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
const result = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' })
process.exit(result.status ?? 1)

function installPrograms() {
  const missing = PROGRAMS.filter(({ program }) => !runs(program, ['--version']))
  if (missing.length === 0) return
  const reason = reasonNotToInstall() ?? install(missing.map(({ pack }) => pack))
  if (reason === undefined) return
  for (const { program, without } of missing) say(`Not tested: ${without}; ${program} is not installed (${reason}).`)
}

function reasonNotToInstall() {
  if (!runs('apt-get', ['--version'])) return 'no apt-get here'
  return process.getuid?.() === 0 ? undefined : 'only root can install it'
}

/** Why it failed; `undefined` when it did not. */
function install(packs) {
  say(`Installing ${packs.join(', ')} with apt-get, for tests …`)
  const apt = (...args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    return spawnSync('apt-get', ['-qq', ...args], { env, encoding: 'utf8', timeout: 300_000 })
  }
  const install = () => apt('install', '-y', '--no-install-recommends', ...packs)
  if (install().status === 0) return undefined
  // The lists may be missing or old.
  apt('update')
  return install().status === 0 ? undefined : 'apt-get could not install it'
}

function installWorkspaces() {
  for (const { folder, proof, instead, without } of WORKSPACES) {
    const cwd = join(ROOT, folder)
    const isThere = () => existsSync(join(cwd, proof))
    if (isThere() || process.env[instead] !== undefined) continue
    say(`Installing ${folder}, for tests …`)
    // Not `ci`: a lock names the packages of the platforms that it was made on, and only that of this one is wanted.
    const { status } = npm(
      ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
      cwd,
    )
    if (isThere()) continue
    const reason = status === 0 ? `nothing for ${process.platform} ${process.arch}` : 'npm install failed'
    const hint = instead === undefined ? '' : ` With ${instead} set these tests take any server.`
    say(`Not tested: ${without}; ${reason} in ${folder}.${hint}`)
  }
}

function runs(program, args) {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}
