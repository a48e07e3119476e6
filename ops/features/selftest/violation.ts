import { Problem } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { fail, pass, runChecks, skip, type Check, type Finding } from '#ops/core/checks/check'
import type { Workspace } from './workspace.ts'

/** How a guard answered one attempt. `refusal` is the error class or finding that it named. */
export type Answer =
  | { readonly accepted: true; readonly said: string }
  | { readonly accepted: false; readonly refusal: string; readonly said: string }

/** One attempt at a real guard. An error that is not a refusal makes the check fail. */
export type Attempt = () => Promise<Answer>

/** Something that a guard must refuse. */
export interface Violation {
  /** With the name of its group before it, the name of the check. */
  readonly name: string
  /** What the violation is, as a noun phrase. */
  readonly what: string
  /** The error class or finding that the guard must name; several are joined by `+`. */
  readonly expected: string
  /** The same without the violation, which the guard must accept: a guard that refuses everything proves nothing. */
  readonly control: Attempt
  readonly attempt: Attempt
}

export interface PreparedGroup {
  /** In the order in which they are tried. Each may change what the group shares, and restores it. */
  readonly violations: readonly Violation[]
  /** How they were made, when there is more than one way. */
  readonly note?: string
  readonly end?: () => Promise<void>
}

/** The violations of one guard. */
export interface ViolationGroup {
  readonly name: string
  /** The name of the guard, for people. */
  readonly guard: string
  /** @throws {CannotPrepare} where this machine lacks what the violations need */
  readonly prepare: (workspace: Workspace, signal: AbortSignal) => Promise<PreparedGroup>
}

/** Thrown where a violation cannot be made on this machine. The check is skipped with the reason. */
export class CannotPrepare extends Error {}

/** An attempt at a guard that throws a Problem to refuse. */
export const attempting =
  (work: () => unknown): Attempt =>
  async () => {
    try {
      const said = await work()
      return {
        accepted: true,
        said: typeof said === 'string' && said !== '' ? said : 'it raised no problem',
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { accepted: false, refusal: error.errorClass, said: error.message }
    }
  }

type Findings = Iterable<{ readonly code: string; readonly detail: string }>

/** An attempt at a guard that lists what it found. */
export const listing =
  (inspect: () => Findings | Promise<Findings>): Attempt =>
  async () => {
    const found = [...(await inspect())]
    if (found.length === 0) return { accepted: true, said: 'it found nothing' }
    return {
      accepted: false,
      refusal: [...new Set(found.map(({ code }) => code))].toSorted().join('+'),
      said: found.map(({ detail }) => detail).join('; '),
    }
  }

/** Runs a control once for all violations that share it. */
export function once(control: Attempt): Attempt {
  let answer: Promise<Answer> | undefined
  return () => (answer ??= control())
}

/** Time limit of one violation with its control, milliseconds, also on a busy machine. */
const limitMs = 60_000

/**
 * Tries the violations of one group, one after another.
 * @returns a check for each violation; one for the group if it cannot be prepared
 */
export async function tryGroup(
  group: ViolationGroup,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  let prepared: PreparedGroup | null = null
  const check = (name: string, run: Check['run']): Promise<CheckResult[]> =>
    runChecks([{ name, remedy: 'report_bug', limitMs, run }], signal)
  const preparation = await check(group.name, async () => {
    try {
      prepared = await group.prepare(workspace, signal)
      return pass('prepared')
    } catch (error) {
      return skipped(error)
    }
  })
  const ready = prepared as PreparedGroup | null
  if (ready === null || preparation.some(({ status }) => status !== 'PASS')) {
    await ready?.end?.()
    return preparation
  }
  const results: CheckResult[] = []
  try {
    for (const violation of ready.violations) {
      results.push(
        ...(await check(`${group.name}:${violation.name}`, async () => {
          try {
            return await judge(group, violation, ready.note === undefined ? '' : ` (${ready.note})`)
          } catch (error) {
            return skipped(error)
          }
        })),
      )
    }
  } finally {
    await ready.end?.()
  }
  return results
}

async function judge(
  { guard }: ViolationGroup,
  { what, expected, control, attempt }: Violation,
  note: string,
): Promise<Finding> {
  const clean = await control()
  if (!clean.accepted)
    return fail(
      `${guard} refused the harmless counterpart of ${what} as ${clean.refusal}, so its refusals prove nothing ` +
        `(${shortened(clean.said)}).`,
      'report_bug',
    )
  const answer = await attempt()
  if (answer.accepted)
    return fail(
      `${guard} accepted ${what}; it must refuse it as ${expected} (${shortened(answer.said)}).`,
      'report_bug',
    )
  if (answer.refusal !== expected)
    return fail(
      `${guard} refused ${what} as ${answer.refusal}; it must refuse it as ${expected} (${shortened(answer.said)}).`,
      'report_bug',
    )
  return pass(`${what}: refused as ${expected}${note}`)
}

const shortened = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 400)

const skipped = (error: unknown): Finding => {
  if (error instanceof CannotPrepare)
    return skip(`The violation cannot be made on this machine: ${error.message}.`)
  throw error
}
