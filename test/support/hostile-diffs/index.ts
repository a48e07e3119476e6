// Every hostile diff that the gate is tried with.
import { reviewerText } from './reviewer-text.ts'
import { hostileCharacters } from './characters.ts'
import { unseenContent } from './unseen-content.ts'
import { linksAndPaths } from './links-and-paths.ts'
import { kindsOfChange } from './kinds-of-change.ts'
import { hostileSizes } from './size.ts'
import type { HostileDiff } from './making.ts'

export type { HostileDiff } from './making.ts'

export const hostileDiffs: readonly HostileDiff[] = [
  ...reviewerText,
  ...hostileCharacters,
  ...unseenContent,
  ...linksAndPaths,
  ...kindsOfChange,
  ...hostileSizes,
]
