// Did origin take a push by an exception from its own rules? Hosts of repositories say so, and let it pass.
import { Problem } from '#shared/errors'
import { remoteName } from '#ops/features/ship/state/ship-facts'

/**
 * What the remote prints about it: "Bypassed rule violations for refs/heads/main" (GitHub), "Bypassing branch
 * protection", "policy was bypassed".
 */
const bypass = /\bbypass(?:ed|es|ing)?\b/i
const rules = /\b(?:rule(?:s|sets?)?|violations?|polic(?:y|ies)|protect(?:ed|ion)|restrictions?)\b/i
/** Said of the bypass itself, at most three words before it: a branch or a rule may hold the same words. */
const denied = /\b(?:no|not|never|none|cannot|can't|without|0)\b(?:[^\w.:]+\w+){0,3}[^\w.:]+bypass/i

/** @param lines what git printed on standard error @returns what the remote said about rules that it set aside */
export function bypassedRules(lines: readonly string[]): string[] {
  const said = lines.flatMap((line) => /^remote: ?(.*)$/.exec(line)?.[1]?.trim() ?? [])
  const first = said.findIndex(
    (line) => bypass.test(line) && rules.test(line) && !denied.test(line),
  )
  if (first === -1) return []
  // The rules follow, one in each line, until the remote says something else.
  const after = said.slice(first + 1)
  const end = after.findIndex((line) => line !== '' && !/^[-*•]/.test(line))
  const list = (end === -1 ? after : after.slice(0, end)).filter((line) => line !== '')
  return [said[first] ?? '', ...list]
}

/**
 * @param stays what was pushed or not; the end of the message
 * @throws {Problem} `push_bypassed_rule`
 */
export function refuseBypass(lines: readonly string[], stays: string): void {
  const said = bypassedRules(lines)
  if (said.length === 0) return
  throw new Problem(
    'push_bypassed_rule',
    `${remoteName} let the push pass by an exception from its rules: ${said.join(' ')} ${stays}`,
    { evidence: said },
  )
}
