import { setTimeout as delay } from 'node:timers/promises'
import type { HostSettings } from '#shared/config'
import { Problem, toProblem } from '#shared/errors'
import type { CollectPart } from '#shared/phase0'
import type { HostPaths } from '#ops/base/paths/paths'
import { redact } from '#ops/base/redact/redaction'
import { requestOf, type Host } from '../check-connectors.ts'
import type { CollectLine } from './lines.ts'

interface CollectHost {
  readonly settings: HostSettings
  readonly paths: Pick<HostPaths, 'etc'>
  readonly signal: AbortSignal
  /** Ids of messages that the run has already. */
  readonly known: ReadonlySet<string>
}

/**
 * Collects one part of Phase 0. It reads secrets and what services answer: call it in a process that has no further
 * rights. How it ended is the last line.
 * @param print takes each line; it may wait until the run has read enough
 * @throws what is a defect of HQ, and not a failure of a service
 */
export async function collect(
  part: CollectPart,
  host: CollectHost,
  print: (line: CollectLine) => Promise<void>,
): Promise<void> {
  const ended = new AbortController()
  const limit = timeLimitOf(part, host.settings)
  const late = new AbortController()
  void delay(limit.seconds * 1000, undefined, { signal: ended.signal }).then(
    () => late.abort(limit.problem),
    () => undefined, // it ended in time
  )
  try {
    const signal = AbortSignal.any([host.signal, late.signal])
    const end = await workOf[part](
      {
        ...host,
        signal,
        onRenewed: (renewal) => void print({ type: 'renewed', renewal }),
        onExchanged: (name) => void print({ type: 'exchanged', name }),
      },
      print,
    )
    await print({ type: 'end', limit: end })
  } catch (error) {
    const { errorClass, message } = toProblem(error)
    if (errorClass === 'internal_error') throw error
    await print({
      type: 'problem',
      error_class: errorClass,
      message: redact.text(message).slice(0, 2000),
    })
  } finally {
    ended.abort()
  }
}

function timeLimitOf(
  part: CollectPart,
  { kajabi, gmail }: HostSettings,
): { seconds: number; problem: Problem } {
  return part === 'library'
    ? {
        seconds: kajabi.library_seconds,
        problem: new Problem(
          'connector_unreachable',
          `The pages of the Kajabi library took longer than ${kajabi.library_seconds} s together.`,
        ),
      }
    : {
        seconds: gmail.harvest_seconds,
        problem: new Problem(
          'harvest_incomplete',
          `The harvest of Gmail took longer than ${gmail.harvest_seconds} s. What was read is kept.`,
        ),
      }
}

type Work = (
  host: Host & Pick<CollectHost, 'known'>,
  print: (line: CollectLine) => Promise<void>,
) => Promise<Extract<CollectLine, { type: 'end' }>['limit']>

// Only the libraries that the part uses are loaded.
const workOf: Readonly<Record<CollectPart, Work>> = {
  library: async (host, print) =>
    await (
      await import('../kajabi/library.ts')
    ).readLibrary(requestOf('kajabi', host, host.signal), {
      page: (page) => print({ type: 'page', page }),
      item: (item) => print({ type: 'item', item }),
    }),
  harvest: async (host, print) => {
    const request = requestOf('gmail', host, host.signal)
    const harvest =
      request.settings.mode === 'imap'
        ? (await import('../gmail/harvest-imap.ts')).harvestByImap
        : (await import('../gmail/harvest-api.ts')).harvestByApi
    return await harvest(request, {
      known: host.known,
      keep: (id) => print({ type: 'keep', id }),
      message: (message) => print({ type: 'message', message }),
    })
  },
}
