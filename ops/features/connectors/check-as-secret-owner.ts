import { z } from 'zod'
import { connectorNames, type ConnectorName } from '#shared/connectors/list'
import { connectorReport, connectorReportsOf, type ConnectorReport } from '#shared/connectors'
import { Problem } from '#shared/errors'
import { parseJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import type { HostFiles } from '#ops/core/config/host-files'
import { RenewalReader } from './keep-renewed.ts'
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
  parseJson(
    await probe(owner, { signal, options: [`--only=${names.join(',')}`] }),
    connectorReportsOf(names),
    ofCheck,
  )

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

/** The same for one connector. @throws {Problem} the same; `config_invalid` for host.json */
export async function checkOneAsSecretOwner({
  paths,
  signal,
  name,
  file,
  candidates,
  secrets,
}: OneCheck): Promise<ConnectorReport> {
  const options = [`--only=${name}`, ...(candidates ? ['--candidates'] : [])]
  const stdout = await probe(secretOwner(paths, file, secrets), { signal, options })
  return parseJson(stdout, z.tuple([connectorReport]), ofCheck)[0]
}

const withdrawal = z.strictObject({ done: z.boolean().nullable(), detail: z.string() })

/** Has the service of a connector forget the secret in use, in the same process. @throws {Problem} the same */
export async function withdrawAsSecretOwner({
  paths,
  signal,
  name,
  file,
}: Omit<OneCheck, 'candidates' | 'secrets'>): Promise<Withdrawal> {
  const options = [`--only=${name}`, '--withdraw']
  return parseJson(await probe(secretOwner(paths, file), { signal, options }), withdrawal, ofCheck)
}

const ofCheck = {
  errorClass: 'action_no_result',
  origin: 'The result of the check of the connectors',
} as const

/** @returns what the process printed @throws {Problem} as above */
async function probe(
  { settings, hq, keep }: SecretOwner,
  { signal, options }: { readonly signal: AbortSignal; readonly options: readonly string[] },
): Promise<string> {
  const longest = Math.max(...connectorNames.map((name) => settings[name].timeout_seconds))
  const renewals = new RenewalReader(keep)
  const { exitCode, timedOut, stdout, stderrTail } = await renewals.during(() =>
    hq(['connectors', '--probe', '--renewals', ...options], {
      timeLimitSeconds: longest + startSeconds,
      signal,
      keepStdout: true,
      onBytes: (piece) => renewals.push(piece),
    }),
  )
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
  return stdout.trimEnd().split('\n').at(-1) ?? ''
}
