import type { HqPage } from '../page.ts'
import { DoctorPage } from './doctor-page.tsx'

export const doctorPage: HqPage = {
  path: '/doctor',
  title: 'Doctor & ports',
  icon: 'doctor',
  Page: DoctorPage,
  mark: 'doctor',
}
