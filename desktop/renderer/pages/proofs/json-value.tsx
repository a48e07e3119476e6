import type { ReactElement } from 'react'
import { AnsiText } from '../../ui/ansi-text.tsx'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { bytes, dateAndTime, grouped, took } from '../../text/format.ts'
import { ofCheck, ofStep, type Shown } from '../../text/status.ts'
import type { JsonValue } from './json-rows.ts'

/** Characters of one value that are shown. */
const maxLength = 4_000
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
const machineText = /^(?:[0-9a-f]{7,}|[\w.-]*[_/:@][^\s]*|\d{8}T\d{6}Z-[0-9a-f]{8})$/

const states: Readonly<Record<string, Shown>> = {
  PASS: ofCheck('PASS'),
  WARN: ofCheck('WARN'),
  FAIL: ofCheck('FAIL'),
  SKIP: ofCheck('SKIP'),
  APPROVED: { tone: 'pass', word: 'Approved' },
  BLOCKED: { tone: 'blocked', word: 'Blocked' },
  passed: ofStep('passed'),
  failed: ofStep('failed'),
  skipped: ofStep('skipped'),
  cancelled: ofStep('cancelled'),
  not_reached: ofStep('not_reached'),
}

/** A value of a document in words: a time with its age, a duration, a size, a state with its mark. */
export function JsonValueText({
  name,
  value,
  find,
}: {
  name: string
  value: JsonValue
  find: string
}): ReactElement {
  if (value === null) return <span className="quiet">none</span>
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>
  if (typeof value === 'number') return <>{numberText(name, value)}</>
  if (instant.test(value) && Number.isFinite(Date.parse(value)))
    return (
      <>
        {dateAndTime(value)}{' '}
        <span className="quiet">
          <Age at={value} />
        </span>
      </>
    )
  const state = Object.hasOwn(states, value) ? states[value] : undefined
  if (state !== undefined && find === '') return <Status shown={state} />
  if (value === '') return <span className="quiet">empty</span>
  const text =
    value.length <= maxLength
      ? value
      : `${value.slice(0, maxLength)} … ${grouped(value.length - maxLength)} more characters in Raw`
  return machineText.test(value) ? (
    <code className="mono">
      <AnsiText text={text} find={find} />
    </code>
  ) : (
    <AnsiText text={text} find={find} />
  )
}

function numberText(name: string, value: number): string {
  if (name.endsWith('_ms') && value >= 0) return took(value)
  if (/(?:^|_)(?:size|bytes)$/.test(name) && Number.isInteger(value) && value >= 0)
    return value < 1000 ? bytes(value) : `${bytes(value)} (${grouped(value)} B)`
  return Number.isInteger(value) ? grouped(value) : String(value)
}
