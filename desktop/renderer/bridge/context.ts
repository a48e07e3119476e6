import { createContext, use } from 'react'
import type { AppInfo } from '#shared/bridge'
import type { Bridge } from './client.ts'

export interface Hq {
  readonly bridge: Bridge
  readonly info: AppInfo
}
export const HqContext = createContext<Hq | null>(null)

/** The bridge and what is known of this app. @throws {Error} outside the app's frame */
export function useHq(): Hq {
  const hq = use(HqContext)
  if (hq === null) throw new Error('useHq outside HqContext')
  return hq
}
