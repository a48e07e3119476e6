/** The pages of HQ, in the order of the sidebar. The router, the palette and the window title read this list. */
import { connectorsPage } from '../pages/connectors/index.ts'
import { deployPage } from '../pages/deploy/index.ts'
import { doctorPage } from '../pages/doctor/index.ts'
import { overviewPage } from '../pages/overview/index.ts'
import { hostsPage } from '../pages/hosts/index.ts'
import type { HqPage } from '../pages/page.ts'
import { proofsPage } from '../pages/proofs/index.ts'
import { runsPage } from '../pages/runs/index.ts'
import { settingsPage } from '../pages/settings/index.ts'
import { shipPage } from '../pages/ship/index.ts'

const all: readonly HqPage[] = [
  overviewPage,
  shipPage,
  deployPage,
  runsPage,
  proofsPage,
  doctorPage,
  connectorsPage,
  hostsPage,
  settingsPage,
]

/** The pages shown here. @param operator whether this is the operator's laptop, not the console on the host */
export const pagesFor = (operator: boolean): readonly HqPage[] =>
  all.filter(({ laptopOnly }) => operator || laptopOnly !== true)
