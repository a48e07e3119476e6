import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { gmail } from '#shared/connectors/gmail'
import { toProblem, type ErrorClass } from '#shared/errors'
import { HostdClient } from '#shared/hostd-client/client'
import { Attempt } from '../../../../desktop/operator/connectors/common/attempt.ts'
import { ways } from '../../../../desktop/operator/connectors/ways.ts'
import type { Obtain } from '../../../../desktop/operator/connectors/common/way.ts'
import { memoryKeystore } from '../../../../desktop/operator/settings/keystore.ts'

/** How an attempt ended, before anything was sent to the host. */
interface Ended {
  /** By kind, parsed; null: it failed. */
  readonly secrets: Record<string, unknown> | null
  readonly errorClass: ErrorClass | null
  readonly message: string
  /** What HQ would keep for the next attempt. */
  readonly kept: ReadonlyMap<string, string>
  /** Everything that the page and the log can show. */
  readonly shown: string
}

export interface Started {
  readonly attempt: Attempt
  /** The address that HQ opens in the browser. */
  readonly opened: Promise<string>
  readonly ended: Promise<Ended>
}

/** Starts one attempt to connect Gmail. */
export function start(
  mode: keyof typeof gmail.ways,
  fields: Record<string, string>,
  {
    noBrowser = false,
    obtain = ways.gmail,
  }: { noBrowser?: boolean; obtain?: Obtain | undefined } = {},
): Started {
  const attempt = new Attempt({ connector: 'gmail', mode, way: gmail.ways[mode] })
  const opened = Promise.withResolvers<string>()
  const kept = new Map<string, string>()
  const views: string[] = []
  if (obtain === undefined) throw new Error('Gmail cannot be connected')
  const work = async (): Promise<Ended> => {
    try {
      const secrets = await obtain(attempt, {
        fields,
        home: '/nonexistent',
        env: {},
        keystore: memoryKeystore(),
        client: new HostdClient(() => Promise.reject(new Error('no host'))),
        openBrowser: async (url) => {
          views.push(JSON.stringify(attempt.view()))
          opened.resolve(url)
          if (noBrowser) throw new Error('no browser')
        },
        log: (text) => void views.push(text),
        keep: (field, value) => void kept.set(field, value),
      })
      const parsed = secrets.map(({ kind, bytes }) => [
        kind,
        JSON.parse(Buffer.from(bytes).toString()) as unknown,
      ])
      views.push(JSON.stringify(attempt.view()))
      return {
        secrets: Object.fromEntries(parsed) as Record<string, unknown>,
        errorClass: null,
        message: '',
        kept,
        shown: views.join('\n'),
      }
    } catch (error) {
      attempt.fail(error)
      const { errorClass, message } = toProblem(error)
      views.push(JSON.stringify(attempt.view()), message, String(error))
      return { secrets: null, errorClass, message, kept, shown: views.join('\n') }
    }
  }
  const ended = work()
  void ended.then(({ message }) => opened.reject(new Error(`it ended before: ${message}`)))
  opened.promise.catch(() => undefined)
  return { attempt, opened: opened.promise, ended }
}

/** One request with any method, path and Host header. */
export const send = (
  base: string,
  {
    method = 'GET',
    path = '/',
    headers = {},
    body = '',
  }: { method?: string; path?: string; headers?: OutgoingHttpHeaders; body?: string },
): Promise<{ status: number; headers: Record<string, unknown>; html: string }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base)
    const request = httpRequest({ hostname, port, method, path, headers }, (answer) => {
      let html = ''
      answer.on('data', (piece: Buffer) => (html += piece.toString()))
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, html }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
