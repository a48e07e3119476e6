/** Tries the way to a host step by step: its name, its port, its certificate, and what answers. Sends no token. */
import { lookup } from 'node:dns/promises'
import { request as httpRequest } from 'node:http'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { healthReply, errorBody } from '#shared/api'
import { hostdPaths } from '#shared/hostd-paths'
import { codeOf } from '#shared/system-error'
import { hostnameOf } from '../tailnet/reading.ts'
import type { CertificateFault, Observations } from './diagnose.ts'

export type Probed = Pick<Observations, 'name' | 'port' | 'certificate' | 'answer' | 'skewMs'>

/** Most bytes of the answer of `/health` that are read. */
const maxAnswer = 16 * 1024

const nothing: Probed = { name: null, port: null, certificate: null, answer: null, skewMs: null }

/**
 * Never throws: what fails is an observation. A certificate that is not valid is noted, and the clock of the host is
 * still read behind it; nothing secret is sent.
 * @param signal ends it; what was not reached by then counts as silent
 */
export async function probeHost(url: string, signal: AbortSignal): Promise<Probed> {
  const { protocol, port } = new URL(url)
  const hostname = hostnameOf(url)
  const name = await resolved(hostname, signal)
  if ('code' in name) return { ...nothing, name }
  const number = port === '' ? defaultPorts[protocol] : Number(port)
  const opened = await open({ host: name.address, port: number ?? 443 }, signal)
  if (typeof opened === 'string') return { ...nothing, name, port: opened }
  try {
    const stream = protocol === 'https:' ? await secure(opened, hostname, signal) : opened
    if (stream === null) return { ...nothing, name, port: 'open', certificate: 'closed' }
    const certificate = stream === opened ? 'none' : certificateOf(stream as TLSSocket)
    return { name, port: 'open', certificate, ...(await health(stream, url, signal)) }
  } finally {
    opened.destroy()
  }
}

const defaultPorts: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 }

async function resolved(
  hostname: string,
  signal: AbortSignal,
): Promise<{ address: string } | { code: string }> {
  if (isIP(hostname) !== 0) return { address: hostname }
  try {
    return await Promise.race([lookup(hostname), aborted(signal)])
  } catch (error) {
    return { code: codeOf(error) ?? 'no answer' }
  }
}

/** @returns the connected socket, or how the port behaves */
function open(
  to: { host: string; port: number },
  signal: AbortSignal,
): Promise<Socket | 'refused' | 'silent'> {
  const socket = connectTcp(to)
  return new Promise((resolve) => {
    const end = (outcome: 'refused' | 'silent'): void => {
      socket.destroy()
      resolve(outcome)
    }
    socket.once('connect', () => resolve(socket))
    socket.on('error', (error) => end(codeOf(error) === 'ECONNREFUSED' ? 'refused' : 'silent'))
    whenAborted(signal, () => end('silent'))
  })
}

/** @returns null when the other side ended the handshake */
function secure(socket: Socket, hostname: string, signal: AbortSignal): Promise<TLSSocket | null> {
  const tls = connectTls({
    socket,
    ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
    host: hostname,
    // The fault is an observation here; requests with a token are sent by `fetch`, which refuses it.
    rejectUnauthorized: false,
  })
  return new Promise((resolve) => {
    tls.once('secureConnect', () => resolve(tls))
    tls.on('error', () => resolve(null))
    tls.once('close', () => resolve(null))
    whenAborted(signal, () => resolve(null))
  })
}

const faults: Readonly<Record<string, CertificateFault>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong_name',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet',
}

function certificateOf({ authorized, authorizationError }: TLSSocket): 'valid' | CertificateFault {
  if (authorized) return 'valid'
  const code = codeOf(authorizationError) ?? String(authorizationError)
  return faults[code] ?? 'untrusted'
}

type Answer = Pick<Probed, 'answer' | 'skewMs'>

/** What `/health` says, which asks for no token. */
function health(stream: Socket, url: string, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const silent = (): void => resolve({ answer: 'silent', skewMs: null })
    const sent = Date.now()
    const request = httpRequest(
      `http://${new URL(url).host}${hostdPaths.health}`,
      {
        createConnection: () => stream,
        // Node would add port 80, also behind TLS: that is no name of the host.
        headers: { host: new URL(url).host, connection: 'close' },
      },
      (response) => {
        const parts: Buffer[] = []
        let size = 0
        response.on('data', (part: Buffer) => {
          size += part.length
          if (size > maxAnswer) response.destroy()
          else parts.push(part)
        })
        response.on('error', silent)
        response.on('close', () =>
          resolve(
            answerOf(response.statusCode ?? 0, Buffer.concat(parts).toString(), {
              sent,
              received: Date.now(),
            }),
          ),
        )
      },
    )
    request.on('error', silent)
    whenAborted(signal, silent)
    request.end()
  })
}

interface Times {
  readonly sent: number
  readonly received: number
}

function answerOf(status: number, text: string, times: Times): Answer {
  const body = jsonOf(text)
  const alive = healthReply.safeParse(body)
  if (alive.success) return { answer: 'hostd', skewMs: skewOf(alive.data.time, times) }
  const refusal = errorBody.safeParse(body)
  if (refusal.success)
    return {
      answer: refusal.data.error_class === 'host_refused' ? 'host_refused' : 'hostd',
      skewMs: null,
    }
  return { answer: status >= 500 ? 'gateway' : 'other', skewMs: null }
}

/**
 * Clock of the host minus that of this laptop, milliseconds: 0 while its time lies between request and answer.
 * @param time as the host gave it
 */
export function skewOf(time: string, { sent, received }: Times): number {
  const theirs = Date.parse(time)
  if (theirs > received) return theirs - received
  return theirs < sent ? theirs - sent : 0
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null // not JSON, so not hostd
  }
}

function whenAborted(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then()
  else signal.addEventListener('abort', then, { once: true })
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    whenAborted(signal, () => reject(new Error('no answer')))
  })
