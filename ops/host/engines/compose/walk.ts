// Goes through a compose file by the table of keys and reports what is refused or not in it.
import { composeKeys, type SectionName, type Verdict } from './keys.ts'
import type { Report } from './rule.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `false`, an empty text and an empty list are how a rendered file leaves a key out. */
function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

function verdictOf(section: SectionName, key: string): Verdict | null {
  const keys: Readonly<Record<string, Verdict>> = composeKeys[section]
  return Object.hasOwn(keys, key) ? (keys[key] ?? null) : null
}

const isSection = (name: string): name is SectionName => Object.hasOwn(composeKeys, name)
function sectionNamed(name: string): SectionName {
  if (isSection(name)) return name
  throw new RangeError(`The table of compose keys names no section ${name}.`)
}

const below = (at: string, key: string): string => (at === '' ? key : `${at}/${key}`)

/**
 * Reports the refused and unknown keys of one object and of what lies below it.
 * @param at path of the object below the service or entry; empty for the service itself
 */
export function walk(
  { section, value, at }: { section: SectionName; value: unknown; at: string },
  report: Report,
): void {
  if (!isObject(value)) return
  for (const [key, found] of Object.entries(value)) {
    if (key.startsWith('x-')) continue
    const verdict = verdictOf(section, key)
    const path = below(at, key)
    if (verdict === null)
      report({
        code: 'unknown_setting',
        at: path,
        subject: path,
        detail: `has the setting ${path}, which this version of HQ does not know and so cannot judge`,
      })
    else if (verdict.kind === 'refused') {
      if (isSet(found))
        report({ code: verdict.code, at: path, subject: key, detail: verdict.detail })
    } else if (verdict.kind === 'inside')
      walk({ section: sectionNamed(verdict.section), value: found, at: path }, report)
    else walkEach(verdict, { value: found, at: path }, report)
  }
}

/** The entries of a list or a map; an entry in a short form has no keys. */
function walkEach(
  verdict: Verdict,
  { value, at }: { readonly value: unknown; readonly at: string },
  report: Report,
): void {
  const name = verdict.kind === 'each' ? verdict.section : nameInside(verdict)
  if (name === null || typeof value !== 'object' || value === null) return
  const section = sectionNamed(name)
  for (const [key, entry] of Object.entries(value))
    walk({ section, value: entry, at: below(at, key) }, report)
}

const nameInside = (verdict: Verdict): string | null =>
  verdict.kind === 'judged' ? (verdict.each ?? null) : null
