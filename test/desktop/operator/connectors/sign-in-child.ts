import { connectorFields, connectors } from '#shared/connectors/list'
import { Attempt } from '../../../../desktop/operator/connectors/common/attempt.ts'
import { captureLogin } from '../../../../desktop/operator/connectors/kajabi/capture.ts'

/** Opens a browser for a sign-in at the address that is its argument, and waits until it is killed. */
const [base_url] = process.argv.slice(2)
await captureLogin(
  new Attempt({
    connector: 'kajabi',
    mode: 'storage_state',
    way: connectors.kajabi.ways.storage_state,
  }),
  { env: process.env, log: console.error },
  async () => connectorFields.kajabi.parse({ base_url, hosts: ['kajabi.test'] }),
)
