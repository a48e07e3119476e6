import type { Connector } from '../common/connector.ts'
import { secretFile } from '../common/read-secret.ts'
import { checkKajabi } from './check.ts'
import { kajabiLogin } from './login.ts'

export const kajabi: Connector<'kajabi'> = {
  secrets: ({ storage_state_secret_ref, hosts }) => ({
    storage_state: secretFile(storage_state_secret_ref, ['storage_state'], kajabiLogin(hosts)),
  }),
  check: checkKajabi,
}
