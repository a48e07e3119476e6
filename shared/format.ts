/** Numbers as HQ writes them: a running clock 2:14, a finished time 2 m 14 s, an age 3 h ago. */
import { oneOrMany } from './plural.ts'

const two = (value: number): string => String(value).padStart(2, '0')

/** A clock that is still running. @param ms milliseconds so far */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

/** How long something took that is over. @param ms milliseconds */
export function took(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} m ${two(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${two(minutes % 60)} m`
}

/** A span without its fraction, for something that lasts: *4 m 12 s*. @param ms milliseconds */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
  if (seconds < 86_400)
    return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} m`
  return `${Math.floor(seconds / 86_400)} d`
}

/** How old something is. @param ms milliseconds since; a clock that runs ahead counts as now */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

const zones = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' })
/** The zone of this machine at that moment: UTC, CET, GMT+5:30. */
const zoneAt = (date: Date): string =>
  zones.formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? ''

/** Time of day as it is on this machine, with its zone: 23:13:04 CET. */
export const timeOfDay = (timestamp: string): string => {
  const date = new Date(timestamp)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zoneAt(date)}`
}

/** Date and time, for rows that may be days old. */
export const dateAndTime = (timestamp: string): string => {
  const date = new Date(timestamp)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${timeOfDay(timestamp)}`
}

export const shortRun = (runId: string): string => runId.slice(-8)

/** 1833 → 1 833, with a thin no-break space. */
export const grouped = (value: number): string =>
  String(value).replace(/\B(?=(?:\d{3})+$)/g, '\u202f')
export const count = (value: number, one: string, many = `${one}s`): string =>
  `${grouped(value)} ${oneOrMany(value, one, many)}`

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`
  return size < 1_000_000 ? `${Math.round(size / 1000)} kB` : `${(size / 1_000_000).toFixed(1)} MB`
}
