// The one client of Tailscale on this machine: the LocalAPI of tailscaled on Linux, its command line elsewhere.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { z } from 'zod'
import { Problem } from '#shared/errors'
import { hasCode, messageOf } from '#shared/system-error'
import { tailnetStateOf, type TailnetState, type TailscaleFailure } from '#shared/tailnet/state'
import { tailscaleStatus, type TailscaleStatus } from '#shared/tailnet/status'
import { envValue, minimalEnv } from '#ops/base/env'
import { parseJson } from '#ops/base/files/json-file'
import { httpRequest } from '#ops/base/http/request'
import { runCommand, type CommandResult } from '#ops/base/process/command'
import { tailscaleElsewhere } from './elsewhere.ts'

/** Longest wait for one answer, milliseconds. Without a daemon the command line would wait for ever. */
export const tailscaleMs = 3000
/**
 * The same in a deploy, within the 10 s of a check there. Networks of containers come and go in it; while its control
 * server is away, tailscaled then holds an answer for some seconds. Slow is not unsafe.
 */
export const tailscaleInDeployMs = 8000
/** Largest answer, bytes: a status names every peer. */
const maxBytes = 16 * 1024 * 1024

/** Tailscale gave no answer. `why` is for a person. */
export interface NoAnswer {
  readonly kind: TailscaleFailure
  readonly why: string
}
export type Answer<T> = { readonly kind: 'answer'; readonly value: T } | NoAnswer

/** State of Tailscale on this machine. */
export type Tailnet = { readonly kind: TailnetState; readonly status: TailscaleStatus } | NoAnswer

/**
 * Status of this machine and of the nodes that it may see.
 * @param waitMs longest wait for the answer, milliseconds
 * @throws the reason of `signal`
 */
export async function readTailnet(
  signal?: AbortSignal,
  waitMs: number = tailscaleMs,
): Promise<Tailnet> {
  const answer = await ask(
    { path: '/localapi/v0/status', argv: ['status', '--json'], schema: tailscaleStatus },
    signal,
    waitMs,
  )
  if (answer.kind !== 'answer') return answer
  return { kind: tailnetStateOf(answer.value, Date.now()), status: answer.value }
}

interface Question<T extends z.ZodType> {
  /** Path of the LocalAPI. */
  readonly path: string
  /** Arguments of the command line that print the same document. */
  readonly argv: readonly string[]
  readonly schema: T
}

/**
 * Requests one document.
 * @param waitMs longest wait for it, milliseconds
 * @throws the reason of `signal`; every other failure is a state
 */
export async function ask<T extends z.ZodType>(
  question: Question<T>,
  signal?: AbortSignal,
  waitMs: number = tailscaleMs,
): Promise<Answer<z.output<T>>> {
  signal?.throwIfAborted()
  const text =
    process.platform === 'linux'
      ? await fromDaemon(question.path, waitMs, signal)
      : await fromCommand(question.argv, waitMs, signal)
  if (text.kind !== 'answer') return text
  try {
    const origin = `tailscale ${question.argv.join(' ')}`
    const value = parseJson(text.value, question.schema, { errorClass: 'internal_error', origin })
    return { kind: 'answer', value }
  } catch {
    return { kind: 'unreadable', why: 'Tailscale answered with something that HQ cannot read.' }
  }
}

/** Where tailscaled listens. */
export const tailscaleSocket = (): string => envValue('OPENCLAW_TAILSCALE_SOCKET')

const usualFolders = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/opt/homebrew/bin',
  'C:\\Program Files\\Tailscale',
]

/** Where the command line may be: the search path, and where the packages of macOS and Windows put it. */
function tailscaleProgram(): string | null {
  const name = process.platform === 'win32' ? 'tailscale.exe' : 'tailscale'
  const { PATH = '' } = minimalEnv()
  const folders = PATH.split(delimiter).concat(usualFolders)
  const programs = [
    ...folders.map((folder) => join(folder, name)),
    '/Applications/Tailscale.app/Contents/MacOS/Tailscale',
  ]
  return programs.find((path) => existsSync(path)) ?? null
}

const notInstalled: NoAnswer = {
  kind: 'not_installed',
  why: 'Tailscale is not installed on this machine.',
}
const silentFor = (ms: number): NoAnswer => ({
  kind: 'no_answer',
  why: `Tailscale did not answer within ${ms / 1000} seconds.`,
})
const down: NoAnswer = {
  kind: 'daemon_down',
  why: 'Tailscale is installed, but its daemon tailscaled does not run.',
}

/** Nothing listens at the socket. That Tailscale is absent is said only when nothing else shows that it runs. */
function withoutSocket(): NoAnswer {
  const sign = tailscaleElsewhere()
  if (sign !== null)
    return {
      kind: 'unreadable',
      why:
        `Tailscale runs on this machine (${sign}), but does not listen at ${tailscaleSocket()}, ` +
        'so HQ cannot ask it.',
    }
  return tailscaleProgram() === null ? notInstalled : down
}

/** One GET to the LocalAPI, which checks the Host header. */
async function fromDaemon(
  path: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Answer<string>> {
  try {
    const { status, text } = await httpRequest(`http://local-tailscaled.sock${path}`, {
      socketPath: tailscaleSocket(),
      timeoutMs: waitMs,
      maxBytes,
      signal,
    })
    if (status === 200) return { kind: 'answer', value: text }
    const kind = status === 401 || status === 403 ? 'refused' : 'unreadable'
    return { kind, why: `Tailscale answered ${status} to ${path.split('?')[0] ?? path}.` }
  } catch (error) {
    signal?.throwIfAborted()
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return withoutSocket()
    if (hasCode(error, 'EACCES', 'EPERM'))
      return { kind: 'refused', why: 'This account may not ask Tailscale.' }
    if (error instanceof Error && error.name === 'TimeoutError') return silentFor(waitMs)
    return { kind: 'unreadable', why: `Tailscale broke off its answer: ${messageOf(error)}.` }
  }
}

/** The same from the command line. Stopped or signed out it exits with 1 and still prints the document. */
async function fromCommand(
  argv: readonly string[],
  waitMs: number,
  signal?: AbortSignal,
): Promise<Answer<string>> {
  const result = await runTailscale(argv, signal, waitMs)
  if (result === null) return notInstalled
  if (result.stdout.trim() !== '') return { kind: 'answer', value: result.stdout }
  if (result.timedOut) return silentFor(waitMs)
  return result.exitCode === 0 ? { kind: 'answer', value: 'null' } : down
}

/**
 * Runs the command line of Tailscale, with its whole process group ended after the limit.
 * @param limitMs longest time, milliseconds
 * @returns null when it is not installed
 * @throws the reason of `signal`; {Problem} `internal_error` when it cannot be started
 */
export async function runTailscale(
  argv: readonly string[],
  signal?: AbortSignal,
  limitMs: number = tailscaleMs,
): Promise<CommandResult | null> {
  const program = tailscaleProgram()
  if (program === null) return null
  // macOS and Windows reach the daemon in other ways than a socket.
  const socket = process.platform === 'linux' ? [`--socket=${tailscaleSocket()}`] : []
  try {
    return await runCommand([program, ...socket, ...argv], {
      cwd: '/',
      env: minimalEnv(),
      timeLimitSeconds: limitMs / 1000,
      keepStdout: true,
      keepBytes: maxBytes,
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof Problem && hasCode(error.cause, 'ENOENT')) return null
    throw error
  }
}
