/** The image, built by buildah and run by runc: neither needs an engine that runs all the time. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const USER_ID = 10001
/** What the build needs besides Node and npm. */
const PROGRAMS = ['sh', 'env', 'mkdir', 'rm', 'ln', 'chmod']
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/** Why no image can be built here; `undefined`: it can. */
export const builderMissing: string | undefined = reasonNotToBuild()

if (builderMissing !== undefined) console.warn(`Not tested: the image (${builderMissing}).`)

function reasonNotToBuild(): string | undefined {
  if (process.platform !== 'linux') return 'images are built on Linux only'
  if (process.getuid?.() !== 0) return 'only root can build it without an engine'
  const missing = ['buildah', 'runc'].filter((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0)
  if (missing.length > 0) return `${missing.join(' and ')} not installed`
  const folder = mkdtempSync(join(tmpdir(), 'builder-'))
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')]
  // Within a container mounting may be forbidden.
  const script = `id=$(buildah "$@" from scratch) && buildah "$@" mount "$id" && buildah "$@" umount "$id"`
  const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', ...store], { encoding: 'utf8' })
  rmSync(folder, { recursive: true, force: true })
  return status === 0 ? undefined : `buildah cannot work here: ${stderr.trim().split('\n').at(-1)}`
}

/** What an image says of itself, as Docker stores it. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly StopSignal: string
  readonly ExposedPorts: Readonly<Record<string, object>>
  readonly Volumes: Readonly<Record<string, object>>
  readonly Labels: Readonly<Record<string, string>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export interface Container {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
  /** Runs a command beside it; what it wrote and its exit status. */
  exec(...command: string[]): { readonly status: number | null; readonly output: string }
  kill(signal: 'TERM' | 'KILL'): void
}

export interface Image {
  readonly config: ImageConfig
  /** Where its files can be seen. */
  readonly root: string
  /** Starts it as the image says, with other arguments if given: read-only, without capabilities, with a network of its own. */
  run(data: string, args?: readonly string[], environment?: Readonly<Record<string, string>>): Container
  /** An empty data folder that belongs to the image's user. */
  dataFolder(): string
  remove(): void
}

/** Builds `deploy/docker/Dockerfile` on a base made of this machine's Node.js. */
export function buildImage(): Image {
  const folder = mkdtempSync(join(tmpdir(), 'image-'))
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run')]
  const buildah = (...args: string[]) =>
    execFileSync('buildah', [...store, ...args], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe', maxBuffer: 2 ** 26 })
  const build = ['bud', '--isolation', 'chroot', '--format', 'docker', '--network', 'host']
  makeBase(join(folder, 'base'))
  buildah(...build, '-t', 'localhost/base', join(folder, 'base'))
  const cache = execFileSync('npm', ['config', 'get', 'cache'], { encoding: 'utf8' }).trim()
  mkdirSync(cache, { recursive: true })
  const named = ['--build-arg', 'BASE_IMAGE=localhost/base', '-t', 'localhost/marketprism']
  buildah(...build, ...named, '-v', `${cache}:/root/.npm`, '-f', 'deploy/docker/Dockerfile', '.')
  const found = JSON.parse(buildah('inspect', '--type', 'image', 'localhost/marketprism')) as {
    readonly Docker: { readonly config: ImageConfig }
  }
  const working = buildah('from', '--pull-never', 'localhost/marketprism').trim()
  const root = buildah('mount', working).trim()
  const { config } = found.Docker
  const containers: Container[] = []
  let started = 0
  return {
    config,
    root,
    dataFolder() {
      const data = mkdtempSync(join(folder, 'data-'))
      chownSync(data, USER_ID, USER_ID)
      return data
    },
    run(data, args = config.Cmd, environment = {}) {
      const bundle = join(folder, `bundle-${++started}`)
      mkdirSync(bundle)
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(runtimeSpec({ root, config, data, args, environment })))
      const container = startContainer(bundle, join(folder, 'runc'))
      containers.push(container)
      return container
    },
    remove() {
      for (const container of containers) container.kill('KILL')
      buildah('umount', working)
      buildah('rm', working)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** As few files as the build needs, and what this machine trusts, so that npm can reach its registry. */
function makeBase(folder: string): void {
  const root = join(folder, 'root')
  for (const name of ['bin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true })
    symlinkSync(`usr/${name}`, join(root, name))
  }
  for (const name of ['usr/local/bin', 'usr/etc', 'etc/ssl/certs']) mkdirSync(join(root, name), { recursive: true })
  const copy = (from: string, to: string) => cpSync(realpathSync(from), join(root, to), { recursive: true })
  for (const path of [process.execPath, ...PROGRAMS.map(pathOf)]) {
    copy(path, `usr/bin/${basename(path)}`)
    const libraries = execFileSync('ldd', [path], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
    for (const library of libraries) {
      mkdirSync(join(root, dirname(library)), { recursive: true })
      copy(library, library)
    }
  }
  copy(dirname(dirname(realpathSync(pathOf('npm')))), 'usr/lib/node_modules/npm')
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'))
  const settings = ['prefer-offline=true', 'update-notifier=false']
  if (spawnSync('test', ['-e', CERTIFICATES]).status === 0) {
    copy(CERTIFICATES, CERTIFICATES)
    settings.push(`cafile=${CERTIFICATES}`)
  }
  writeFileSync(join(root, 'usr/etc/npmrc'), `${settings.join('\n')}\n`)
  writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY root /\n')
}

const pathOf = (program: string): string =>
  execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim()

interface Starting {
  readonly root: string
  readonly config: ImageConfig
  readonly data: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** `docker run --read-only --cap-drop ALL --security-opt no-new-privileges`, as the runtime takes it. */
function runtimeSpec({ root, config, data, args, environment }: Starting): object {
  const [uid, gid] = config.User.split(':').map(Number)
  const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] }
  return {
    ociVersion: '1.0.2',
    root: { path: root, readonly: true },
    process: {
      user: { uid, gid },
      args: [...config.Entrypoint, ...args],
      env: [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
      cwd: config.WorkingDir,
      capabilities: none,
      noNewPrivileges: true,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/data', type: 'bind', source: data, options: ['rbind', 'rw'] },
    ],
    linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  }
}

function startContainer(bundle: string, state: string): Container {
  const id = `marketprism-${process.pid}-${basename(bundle)}`
  const runc = ['--root', state]
  const child = spawn('runc', [...runc, 'run', '--bundle', bundle, id], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const add = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout.on('data', add)
  child.stderr.on('data', add)
  return {
    child,
    output: () => output,
    exit: new Promise((resolve) => child.on('exit', resolve)),
    exec(...command) {
      const { status, stdout, stderr } = spawnSync('runc', [...runc, 'exec', id, ...command], { encoding: 'utf8' })
      return { status, output: stdout + stderr }
    },
    kill: (signal) => void spawnSync('runc', [...runc, 'kill', id, signal], { stdio: 'ignore' }),
  }
}
