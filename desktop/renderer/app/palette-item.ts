import type { Tone } from '../text/status.ts'
import type { IconName } from '../ui/icons.tsx'

export interface PaletteItem {
  readonly id: string
  readonly title: string
  readonly icon: IconName
  readonly tone?: Tone
  /** More that can be searched for. */
  readonly searchText?: string
  readonly end?: string
  /** Why it cannot be chosen now. */
  readonly blocked?: string
  readonly run: () => void
}
export interface PaletteGroup {
  readonly title: string
  readonly items: readonly PaletteItem[]
}
