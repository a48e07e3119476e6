import type { HqPage } from '../page.ts'
import { ConnectorsPage } from './connectors-page.tsx'
import { connectorNamed } from './model.ts'

export const connectorsPage: HqPage = {
  path: '/connectors',
  title: 'Connectors',
  icon: 'connectors',
  Page: ConnectorsPage,
  takes: 'one',
  subject: (rest) => connectorNamed(rest)?.title ?? null,
  paletteText: 'soma kajabi gmail phase 0 sign in secret login account disconnect revoke',
  mark: 'connectors',
}
