import type { HqPage } from '../page.ts'
import { OverviewPage } from './overview-page.tsx'

export const overviewPage: HqPage = {
  path: '/',
  title: 'Overview',
  icon: 'overview',
  Page: OverviewPage,
  showsNextStep: true,
  mark: 'overview',
}
