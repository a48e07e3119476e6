import type { HqPage } from '../page.ts'
import { ConnectorsPage } from './connectors-page.tsx'

export const connectorsPage: HqPage = {
  path: '/connectors',
  title: 'Connectors',
  icon: 'connectors',
  Page: ConnectorsPage,
  paletteText: 'soma kajabi gmail phase 0 sign in secret login account disconnect revoke',
  mark: 'connectors',
}
