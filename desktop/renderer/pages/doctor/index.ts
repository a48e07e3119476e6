import type { Live } from '../../state/live.tsx'
import { count } from '../../text/format.ts'
import type { Badge, HqPage } from '../page.ts'
import { DoctorPage } from './doctor-page.tsx'

export const doctorPage: HqPage = {
  path: '/doctor',
  title: 'Doctor & ports',
  icon: 'doctor',
  Page: DoctorPage,
  badge,
}

/** How many checks of the last doctor failed, else how many warned. */
function badge({ overview: { status } }: Live): Badge | null {
  const checks = status?.last_doctor?.checks ?? []
  const failing = checks.filter((check) => check.status === 'FAIL').length
  if (failing > 0) return { tone: 'fail', number: failing, text: `${failing} failing` }
  const warnings = checks.filter((check) => check.status === 'WARN').length
  if (warnings === 0) return null
  return { tone: 'warn', number: warnings, text: count(warnings, 'warning') }
}
