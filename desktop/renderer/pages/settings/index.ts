import type { HqPage } from '../page.ts'
import { SettingsPage } from './settings-page.tsx'

export const settingsPage: HqPage = {
  path: '/settings',
  title: 'Settings',
  icon: 'settings',
  Page: SettingsPage,
  laptopOnly: true,
}
