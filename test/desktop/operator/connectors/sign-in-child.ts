import { connectorFields, connectors } from '#shared/connectors/list'
import { toProblem } from '#shared/errors'
import { Attempt } from '../../../../desktop/operator/connectors/common/attempt.ts'
import { captureLogin } from '../../../../desktop/operator/connectors/kajabi/capture.ts'

/**
 * Opens a browser for a sign-in at the address that is its argument, and waits until it is killed. It sends what the
 * first step says, and the class of what ended it.
 */
const [base_url] = process.argv.slice(2)
const attempt = new Attempt({
  connector: 'kajabi',
  mode: 'storage_state',
  way: connectors.kajabi.ways.storage_state,
})
setInterval(() => process.send?.(attempt.view().steps[0]?.detail ?? ''), 50).unref()
try {
  await captureLogin(attempt, { env: process.env, log: console.error }, async () =>
    connectorFields.kajabi.parse({ base_url, hosts: ['kajabi.test'] }),
  )
} catch (error) {
  process.send?.(toProblem(error).errorClass)
}
process.exit()
