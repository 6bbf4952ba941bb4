/** The files of the repository that are made from the code. `npm run docs` writes them; a test fails when one is stale. */

import { venues } from '../venues/index.ts'
import { loadConfig } from './config.ts'
import { configMarkdown, configYaml } from './config-docs.ts'
import { CONFIG_FILES } from './config-schema.ts'
import { DASHBOARDS } from './dashboards.ts'
import { grafanaJson } from './grafana.ts'
import { metricsMarkdown } from './metrics-docs.ts'

export interface GeneratedFile {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
}

/** `emptyFolder`: a folder without configuration files, so that the defaults are seen. */
export function generatedFiles(emptyFolder: string): readonly GeneratedFile[] {
  const defaults = loadConfig({ venues, environment: {}, cwd: emptyFolder, configDir: '.' }).config
  return [
    { path: 'docs/CONFIG.md', text: configMarkdown(venues, defaults) },
    { path: 'docs/METRICS.md', text: metricsMarkdown() },
    ...DASHBOARDS.map((dashboard) => ({
      path: `deploy/grafana/dashboards/${dashboard.uid}.json`,
      text: grafanaJson(dashboard),
    })),
    ...CONFIG_FILES.map((file) => ({ path: `config/${file}`, text: configYaml(file, venues, defaults) })),
  ]
}
