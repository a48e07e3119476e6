import { kajabiSettings } from '#shared/config/connectors'
import type { Connector } from '../common/connector.ts'
import { checkKajabi } from './check.ts'

export const kajabi: Connector<'kajabi'> = {
  name: 'kajabi',
  title: 'Kajabi',
  settings: kajabiSettings,
  secrets: ({ storage_state_secret_ref }) => [
    { ref: storage_state_secret_ref, holds: 'the captured login: cookies and local storage' },
  ],
  check: checkKajabi,
  capture: null,
}
