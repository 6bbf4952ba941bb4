/** What makes a sink; the collector makes them of its configuration. */

import type { Sink, SinkPorts, SinkTraits } from './sink.ts'

export interface SinkFactory {
  /** Of `a-z`, digits, `_` and `-`: names its cursor, its folder, its metrics. */
  readonly name: string
  create(ports: SinkPorts): Sink & { readonly traits: SinkTraits }
}
