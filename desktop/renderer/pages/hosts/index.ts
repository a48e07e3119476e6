import type { HqPage } from '../page.ts'
import { HostsPage } from './hosts-page.tsx'

export const hostsPage: HqPage = {
  path: '/hosts',
  title: 'Hosts',
  icon: 'hosts',
  Page: HostsPage,
  paletteText: 'tailscale tailnet add host select',
  laptopOnly: true,
  apart: true,
  mark: 'hosts',
}
