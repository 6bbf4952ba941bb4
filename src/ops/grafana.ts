/** Dashboards as Grafana reads them. */

import type { Dashboard, Panel, Row } from './dashboards.ts'
import { METRICS } from './metrics-catalogue.ts'

/** As `deploy/grafana/provisioning/datasources` calls it. */
const SOURCE = { type: 'prometheus', uid: 'prometheus' }
const SCHEMA_VERSION = 39
/** Columns of Grafana's grid. */
const GRID_WIDTH = 24
const WIDTH = { stat: 4, timeseries: 12 } as const satisfies Record<Panel['kind'], number>
const HEIGHT = { stat: 4, timeseries: 8 } as const satisfies Record<Panel['kind'], number>
const OPTIONS = {
  stat: { colorMode: 'value', graphMode: 'area', reduceOptions: { calcs: ['lastNotNull'] } },
  timeseries: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
} as const satisfies Record<Panel['kind'], object>

/** One file for Grafana's provisioning. */
export function grafanaJson({ uid, title, rows }: Dashboard): string {
  const environments = `label_values(${METRICS.buildInfo.name}, environment)`
  const document = {
    uid,
    title,
    tags: ['marketprism'],
    timezone: 'utc',
    editable: false,
    refresh: '15s',
    time: { from: 'now-1h', to: 'now' },
    schemaVersion: SCHEMA_VERSION,
    templating: {
      list: [
        {
          name: 'environment',
          label: 'Environment',
          type: 'query',
          datasource: SOURCE,
          query: { query: environments, refId: 'environment' },
          refresh: 2,
          multi: true,
          includeAll: true,
          current: { text: ['All'], value: ['$__all'] },
        },
      ],
    },
    panels: placed(rows),
  }
  return `${JSON.stringify(document, null, 2)}\n`
}

/** Rows one below the other; their panels from left to right, as many as fit beside each other. */
function placed(rows: readonly Row[]): object[] {
  const panels: object[] = []
  let y = 0
  for (const { title, panels: inRow } of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: at(0, y, GRID_WIDTH, 1),
    })
    y += 1
    let x = 0
    let height = 0
    for (const panel of inRow) {
      const width = WIDTH[panel.kind]
      if (x + width > GRID_WIDTH) {
        x = 0
        y += height
      }
      height = HEIGHT[panel.kind]
      panels.push({ id: panels.length + 1, ...shown(panel), gridPos: at(x, y, width, height) })
      x += width
    }
    y += height
  }
  return panels
}

const at = (x: number, y: number, w: number, h: number): object => ({ x, y, w, h })

const shown = ({ title, about, kind, unit, queries }: Panel): object => ({
  type: kind,
  title,
  description: about,
  datasource: SOURCE,
  targets: queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: SOURCE,
    expr,
    legendFormat: legend,
  })),
  fieldConfig: { defaults: { unit, min: 0, ...(unit === 'percentunit' && { max: 1 }) }, overrides: [] },
  options: OPTIONS[kind],
})
