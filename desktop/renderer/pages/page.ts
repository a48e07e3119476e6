/** How a page describes itself to HQ. Each page's `index.ts` exports one; `app/pages.ts` lists them. */
import type { ComponentType } from 'react'
import type { Marks } from '#shared/state/marks'
import type { IconName } from '../ui/icons.tsx'

export interface HqPage {
  /** Address after the `#`. It also covers everything below it; `/` stands only for itself. */
  readonly path: string
  /** Name in the sidebar, the palette and the title of the window. */
  readonly title: string
  readonly icon: IconName
  readonly Page: ComponentType<PageProps>
  /** What the page also answers to: `one`, `path/:id`; `path`, everything below its path. */
  readonly takes?: 'one' | 'path'
  /** What an address below the page shows, for the title of the window; null for nothing in particular. */
  readonly subject?: (rest: string) => string | null
  /** Addresses with the same key are one page: between them the focus stays where it is. Default: each its own. */
  readonly keyOf?: (rest: string) => string
  /** Further text the palette finds the page by. */
  readonly paletteText?: string
  /** Shown on the operator's laptop only: the console on the host has no repository and no settings. */
  readonly laptopOnly?: true
  /** A line stands above its sidebar entry. */
  readonly apart?: true
  /** The page is about the next step, so Ship or Deploy+Verify in the top bar may be the filled button. */
  readonly showsNextStep?: true
  /** The mark of the state that the sidebar shows beside the title. */
  readonly mark?: keyof Marks
}

export interface PageProps {
  /** The part of the address after `path/`, as it was typed; null without one. */
  readonly id: string | null
}

/** The part of an address after the path of its page; empty for the page itself. */
export const restOf = ({ path }: HqPage, location: string): string =>
  location.length > path.length && path !== '/' ? location.slice(path.length + 1) : ''

/** Whether an address belongs to a page. */
export const isAt = ({ path }: HqPage, location: string): boolean =>
  path === '/'
    ? location === '/' || location === ''
    : location === path || location.startsWith(`${path}/`)
