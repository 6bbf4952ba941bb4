import type { Clock } from '../platform/platform.ts'
import type { Checks } from '../service/health.ts'
import type { HttpMetrics, Lifecycle, ServiceInfo } from '../service/ports.ts'
import type { VenueNames } from './names.ts'
import type { RecentWarnings } from './operations-view.ts'
import type { CollectorView } from './view.ts'

/** What the routes answer from. */
export interface RouteDeps {
  readonly view: CollectorView
  readonly clock: Clock
  readonly service: ServiceInfo
  readonly names: VenueNames
  readonly metrics: HttpMetrics
  readonly warnings: RecentWarnings
  /** A token is configured: only who sends it may ask, so what is collected may be changed. */
  readonly hasToken: boolean
  /** Resident memory of the process. */
  residentBytes(): number
  lifecycle(): Lifecycle
  /** Everything that can fail, now. The one source of every statement about health. */
  checks(): Checks
}
