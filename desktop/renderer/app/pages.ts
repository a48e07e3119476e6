import type { IconName } from '../ui/icons.tsx'

export interface Place {
  readonly path: string
  readonly title: string
  readonly icon: IconName
  readonly keys: string
  readonly needsOperator?: true
}

/** Where one can go. Connectors come with their part. */
export const places: readonly Place[] = [
  { path: '/', title: 'Overview', icon: 'overview', keys: 'O' },
  { path: '/ship', title: 'Ship', icon: 'ship', keys: 'S', needsOperator: true },
  { path: '/deploy', title: 'Deploy', icon: 'deploy', keys: 'D' },
  { path: '/runs', title: 'Runs', icon: 'runs', keys: 'R' },
  { path: '/proofs', title: 'Proofs', icon: 'proofs', keys: 'P' },
  { path: '/doctor', title: 'Doctor & ports', icon: 'doctor', keys: 'H' },
  { path: '/settings', title: 'Settings', icon: 'settings', keys: ',', needsOperator: true },
]
export const isAt = (place: Place, location: string): boolean =>
  place.path === '/'
    ? location === '/' || location === ''
    : location === place.path || location.startsWith(`${place.path}/`)
