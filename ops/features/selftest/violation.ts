import { Problem } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import { fail, pass, runChecks, skip, type Check, type Finding } from '#ops/core/checks/check'
import type { Place } from './workspace.ts'

/** What a guard said to one attempt. `refusal` is the error class or finding that it named. */
export type Outcome =
  | { readonly accepted: true; readonly said: string }
  | { readonly accepted: false; readonly refusal: string; readonly said: string }

/** One question to a real guard. What it throws that is no refusal makes the check fail. */
export type Attempt = () => Promise<Outcome>

export interface Plant {
  /** With the group's name before it, the name of the check. */
  readonly name: string
  /** What is planted, so that "… was not refused" makes a sentence. */
  readonly planted: string
  /** The error class or finding that must be named; several are joined by `+`. */
  readonly expected: string
  /** The clean counterpart, which must be accepted: a guard that refuses everything guards nothing. */
  readonly control: Attempt
  readonly plant: Attempt
}

export interface MadeGroup {
  /** In the order they are tried; each may change what the group shares, and puts it back. */
  readonly plants: readonly Plant[]
  /** How they were planted, when there is more than one way here. */
  readonly note?: string
  readonly end?: () => Promise<void>
}

export interface Group {
  readonly name: string
  /** Which guard it is, for a person. */
  readonly guard: string
  readonly make: (place: Place, signal: AbortSignal) => Promise<MadeGroup>
}

/** Thrown where a plant cannot be made on this machine; the check is skipped with the reason. */
export class CannotPlant extends Error {}

const sentence = (value: unknown): string =>
  typeof value === 'string' && value !== '' ? value : 'nothing was said against it'

/** An attempt at a guard that throws a Problem for a no. */
export const attempt =
  (work: () => unknown): Attempt =>
  async () => {
    try {
      return { accepted: true, said: sentence(await work()) }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return { accepted: false, refusal: error.errorClass, said: error.message }
    }
  }

/** An attempt at a guard that lists what it found. */
export const findings =
  (
    look: () =>
      | Iterable<{ readonly code: string; readonly detail: string }>
      | Promise<Iterable<{ readonly code: string; readonly detail: string }>>,
  ): Attempt =>
  async () => {
    const found = [...(await look())]
    if (found.length === 0) return { accepted: true, said: 'nothing was found' }
    return {
      accepted: false,
      refusal: [...new Set(found.map(({ code }) => code))].toSorted().join('+'),
      said: found.map(({ detail }) => detail).join('; '),
    }
  }

/** Asks once for all plants that share a counterpart. */
export function once(control: Attempt): Attempt {
  let asked: Promise<Outcome> | undefined
  return () => (asked ??= control())
}

/** Longest time of one plant with its counterpart, milliseconds; also on a machine that has much else to do. */
const limitMs = 60_000

const one = (text: string): string => text.replace(/\s+/g, ' ').slice(0, 400)

async function judge(
  { guard }: Group,
  { planted, expected, control, plant }: Plant,
  note: string,
): Promise<Finding> {
  const clean = await control()
  if (!clean.accepted)
    return fail(
      `${guard}: the clean counterpart of ${planted} was refused as ${clean.refusal} (${one(clean.said)}), so its refusals prove nothing.`,
      'report_bug',
    )
  const outcome = await plant()
  if (outcome.accepted)
    return fail(
      `${guard}: ${planted} was planted and not refused; ${expected} was expected (${one(outcome.said)}).`,
      'report_bug',
    )
  if (outcome.refusal !== expected)
    return fail(
      `${guard}: ${planted} was planted and refused as ${outcome.refusal}, not as ${expected} (${one(outcome.said)}).`,
      'report_bug',
    )
  return pass(`${planted}: refused as ${expected}${note}`)
}

const cannot = (error: unknown): Finding => {
  if (error instanceof CannotPlant) return skip(`It cannot be planted here: ${error.message}.`)
  throw error
}

/** Tries one group, its plants one after another. @returns a check for each plant; one for the group when it cannot be made */
export async function tryGroup(
  group: Group,
  place: Place,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  let made: MadeGroup | null = null
  const check = (name: string, run: Check['run']): Promise<CheckResult[]> =>
    runChecks([{ name, remedy: 'report_bug', limitMs, run }], signal)
  const prepared = await check(group.name, async () => {
    try {
      made = await group.make(place, signal)
      return pass('prepared')
    } catch (error) {
      return cannot(error)
    }
  })
  const ready = made as MadeGroup | null
  if (ready === null || prepared.some(({ status }) => status !== 'PASS')) {
    await ready?.end?.()
    return prepared
  }
  const results: CheckResult[] = []
  try {
    for (const plant of ready.plants) {
      results.push(
        ...(await check(`${group.name}:${plant.name}`, async () => {
          try {
            return await judge(group, plant, ready.note === undefined ? '' : ` (${ready.note})`)
          } catch (error) {
            return cannot(error)
          }
        })),
      )
    }
  } finally {
    await ready.end?.()
  }
  return results
}
