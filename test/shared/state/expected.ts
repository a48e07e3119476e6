import { expectedDeploys } from './expected-deploys.ts'
import { expectedShips } from './expected-ships.ts'

/** Facts → six gates (one letter each), tone, headline, next action, its button. */
export type Expected = readonly [string, string, string, string, string, string]

/** In the order of `rows`. */
export const expected: readonly Expected[] = [...expectedShips, ...expectedDeploys]
