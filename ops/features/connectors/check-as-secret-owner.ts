import { z } from 'zod'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import { connectorReport, connectorReportsOf, type ConnectorReport } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { parseJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import type { HostFiles } from '#ops/core/config/host-files'
import { RenewalReader, resultIn } from './keep-renewed.ts'
import { secretOwner, type SecretOwner } from './secret-owner.ts'
import type { SecretWork } from './store-secret.ts'
import type { Withdrawal } from './withdraw-connector.ts'

/** Added to the longest time limit of a check for the start and the end of the program, in seconds. */
const startSeconds = 30

/**
 * Checks these connectors in a separate process, see `SecretOwner`.
 * @returns one report of each, in their order
 * @throws {Problem} `cancelled`; `step_timeout`; `action_no_result`
 */
export const checkConnectorsAsSecretOwner = async (
  owner: SecretOwner,
  { names, signal }: { readonly names: readonly ConnectorName[]; readonly signal: AbortSignal },
): Promise<ConnectorReport[]> =>
  parseJson(await probe(owner, { signal, names, options: [] }), connectorReportsOf(names), ofCheck)

interface OneCheck {
  readonly paths: HostPaths
  readonly signal: AbortSignal
  readonly name: ConnectorName
  /** host.json that the check goes by. */
  readonly file: Pick<HostFiles, 'host'>
  /** Where a new secret waits for its proof, that one is checked and not the one in use. */
  readonly candidates: boolean
  /** The folder of the secrets, which the caller works on alone. */
  readonly secrets: SecretWork
}

const checkedOne = z.strictObject({ report: connectorReport, about: z.array(z.string()) })

/**
 * The same for one connector.
 * @returns also the files that a problem is about; none: all that were used
 * @throws {Problem} the same; `config_invalid` for host.json
 */
export async function checkOneAsSecretOwner({
  paths,
  signal,
  name,
  file,
  candidates,
  secrets,
}: OneCheck): Promise<z.output<typeof checkedOne>> {
  const options = ['--about', ...(candidates ? ['--candidates'] : [])]
  const owner = secretOwner(paths, file, secrets)
  const stdout = await probe(owner, { signal, names: [name], options })
  return parseJson(stdout, z.tuple([checkedOne]), ofCheck)[0]
}

const withdrawal = z.strictObject({ done: z.boolean().nullable(), detail: z.string() })

/** Has the service of a connector forget its secrets, in the same process. @throws {Problem} the same */
export async function withdrawAsSecretOwner({
  paths,
  signal,
  name,
  file,
  secrets,
}: Omit<OneCheck, 'candidates'>): Promise<Withdrawal> {
  const options = ['--withdraw']
  const owner = secretOwner(paths, file, secrets)
  return parseJson(await probe(owner, { signal, names: [name], options }), withdrawal, ofCheck)
}

const ofCheck = {
  errorClass: 'action_no_result',
  origin: 'The result of the check of the connectors',
} as const

interface Probe {
  readonly signal: AbortSignal
  /** The connectors whose secrets are used. */
  readonly names: readonly ConnectorName[]
  readonly options: readonly string[]
}

/** @returns the result that the process printed @throws {Problem} as above */
async function probe(
  { settings, hq, exchanging }: SecretOwner,
  { signal, names, options }: Probe,
): Promise<string> {
  const longest = Math.max(...connectorNames.map((name) => settings[name].timeout_seconds))
  const { exitCode, timedOut, stdout, stderrTail } = await exchanging(names, signal, (exchange) => {
    const renewals = new RenewalReader(exchange)
    return renewals.during(() =>
      hq(['connectors', '--probe', '--renewals', `--only=${names.join(',')}`, ...options], {
        timeLimitSeconds: longest + startSeconds,
        signal,
        keepStdout: true,
        onBytes: (piece) => renewals.push(piece),
      }),
    )
  })
  if (timedOut)
    throw new Problem(
      'step_timeout',
      'The check of the connectors exceeded its time limit and was stopped.',
    )
  if (exitCode !== 0)
    throw new Problem(
      'action_no_result',
      `The check of the connectors ended with exit code ${String(exitCode)} and without a result.`,
      { evidence: stderrTail.split('\n') },
    )
  return resultIn(stdout)
}
