/** The Kubernetes manifests, as kustomize renders them. Their schemas are not checked: that takes a cluster. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/ops/config.ts'
import { VARIABLES, variablesOf } from '../../src/ops/environment.ts'
import { venues } from '../../src/venues/index.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'deploy', 'kubernetes')

const kubectlMissing = spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status !== 0
if (kubectlMissing) console.warn('Not tested: the Kubernetes manifests; kubectl is not installed.')

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  // biome-ignore lint/suspicious/noExplicitAny: the shapes are those of Kubernetes
  readonly spec: any
  readonly data?: Readonly<Record<string, string>>
}

function rendered(path: string): Manifest[] {
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', join(FOLDER, path)], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest)
}

const of = (manifests: readonly Manifest[], kind: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind)
  expect(found, kind).toHaveLength(1)
  return found[0] as Manifest
}

describe.skipIf(kubectlMissing)('kubectl kustomize', () => {
  const LABELS = { 'app.kubernetes.io/name': 'data-collector' }

  test('the base is one collector with a volume, probes, and no rights that it does not need', () => {
    const { spec } = of(rendered('base'), 'StatefulSet')
    const pod = spec.template.spec
    const [container] = pod.containers
    expect(spec.replicas).toBe(1)
    expect(spec.volumeClaimTemplates[0].metadata.name).toBe(container.volumeMounts[0].name)
    expect(container.volumeMounts[0].mountPath).toBe('/data')
    expect(container.livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http' })
    expect(container.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' })
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001 })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8084 }])
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(10)
  })

  test('the budget and the network policy are about the collector, and only about it', () => {
    const manifests = rendered('base')
    const { spec } = of(manifests, 'StatefulSet')
    expect(spec.selector.matchLabels).toMatchObject(LABELS)
    expect(spec.template.metadata.labels).toMatchObject(LABELS)
    expect(of(manifests, 'PodDisruptionBudget').spec.selector.matchLabels).toMatchObject(LABELS)
    expect(of(manifests, 'NetworkPolicy').spec.podSelector.matchLabels).toMatchObject(LABELS)
    expect(of(manifests, 'Service').spec.selector).toMatchObject(LABELS)
  })

  test('the policy lets every endpoint of the venues and the stores through', () => {
    const { egress } = of(rendered('base'), 'NetworkPolicy').spec
    const open = new Set(egress.flatMap(({ ports }: { ports: { port: number }[] }) => ports.map(({ port }) => port)))
    const { exchanges } = loadConfig({ venues, environment: {}, cwd: ROOT, configDir: 'config' }).config
    const urls = Object.values(exchanges)
      .flatMap((exchange) => Object.entries(exchange))
      .flatMap(([key, value]) => (key.endsWith('_url') ? (value as readonly string[]) : []))
    expect(urls.length).toBeGreaterThan(8)
    for (const url of urls) expect(open, url).toContain(Number(new URL(url).port || 443))
    for (const port of [53, 4222, 8123]) expect(open).toContain(port)
  })

  test('production: one namespace, a pinned image, valid configuration, secrets as files', () => {
    const manifests = rendered('overlays/production')
    for (const { kind, metadata } of manifests) expect(metadata.namespace, kind).toBe('marketprism')
    const pod = of(manifests, 'StatefulSet').spec.template.spec
    const [container] = pod.containers
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string }
    expect(container.image.endsWith(`/marketprism_data-collector:${version}`)).toBe(true)

    const map = of(manifests, 'ConfigMap')
    const mounted = pod.volumes.find(({ name }: { name: string }) => name === 'config')
    expect(mounted.configMap.name).toBe(map.metadata.name)
    const known = Object.entries(VARIABLES).flatMap(([variable, source]) => variablesOf({ variable, ...source }))
    const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)
    for (const { name, value } of container.env) {
      expect(known).toContain(name)
      if (name.endsWith('_FILE')) expect(mounts).toContain(value.slice(0, value.lastIndexOf('/')))
    }
    expect(JSON.stringify(manifests)).not.toMatch(/"kind":"Secret"/)
    const loaded = loadConfig({
      venues,
      environment: {},
      cwd: join(FOLDER, 'overlays'),
      configDir: 'production',
    }).config
    expect(loaded.nats.url).toBe('nats://nats:4222')
  })

  test('the monitor finds the port of the service, and gives the job the name that the alerts want', () => {
    const manifests = rendered('overlays/production')
    const service = of(manifests, 'Service') as Manifest & {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
    }
    const { spec } = of(manifests, 'ServiceMonitor')
    expect(service.metadata.labels).toMatchObject(spec.selector.matchLabels)
    expect(service.spec.ports.map(({ name }: { name: string }) => name)).toContain(spec.endpoints[0].port)
    expect(service.metadata.labels[spec.jobLabel]).toBe('marketprism')
  })
})
