import type { HqPage } from '../page.ts'
import { DeployPage } from './deploy-page.tsx'

export const deployPage: HqPage = {
  path: '/deploy',
  title: 'Deploy',
  icon: 'deploy',
  Page: DeployPage,
  showsNextStep: true,
  mark: 'deploy',
}
