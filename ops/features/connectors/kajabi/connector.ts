import type { Connector } from '../common/connector.ts'
import { checkKajabi } from './check.ts'

export const kajabi: Connector<'kajabi'> = { check: checkKajabi }
