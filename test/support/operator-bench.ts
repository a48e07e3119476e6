import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  bridgeReply,
  isProcedure,
  procedures,
  type BridgeProblem,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import { doesActOnHost } from '#shared/shown-host'
import { fileKeystore } from '../../desktop/operator/settings/keystore.ts'
import { createOperator, type Operator } from '../../desktop/operator/operator.ts'
import type { OperatorOptions } from '../../desktop/operator/options.ts'

/** An operator in a home of its own, asked as the renderer asks it. */
export interface OperatorBench {
  readonly home: string
  readonly operator: Operator
  readonly logged: string[]
  call<P extends ProcedureName>(name: P, input: Input<P>): Promise<Output<P>>
  refused(name: string, input: unknown): Promise<BridgeProblem>
  /** Ends the operator and removes its home. */
  remove(): Promise<void>
}

export function operatorBench(more: Partial<OperatorOptions> = {}): OperatorBench {
  const home = more.home ?? realpathSync(mkdtempSync(join(tmpdir(), 'operator-test-')))
  const logged: string[] = []
  const operator = createOperator({
    mode: 'serve',
    home,
    keystore: fileKeystore(home),
    version: '0.1.0',
    env: { PATH: process.env['PATH'], HOME: home },
    log: (text) => logged.push(text),
    ...more,
  })
  /** As a page that shows the host that is selected. */
  const ask = async (name: string, input: unknown) => {
    const needed = isProcedure(name) && doesActOnHost(name)
    return bridgeReply.parse(await operator.call(name, input, needed ? await shown() : null))
  }
  const shown = async (): Promise<string | null> => {
    const reply = bridgeReply.parse(await operator.call('settings.get', {}, null))
    return procedures['settings.get'].output.parse(reply.ok && reply.value).host?.url ?? null
  }
  return {
    home,
    operator,
    logged,
    call: async (name, input) => {
      const reply = await ask(name, input)
      if (!reply.ok)
        throw new Error(
          `${name}: ${reply.problem.error_class}: ${reply.problem.message}\n${logged.join('\n')}`,
        )
      return procedures[name].output.parse(reply.value) as never
    },
    refused: async (name, input) => {
      const reply = await ask(name, input)
      if (reply.ok) throw new Error(`${name} was not refused: ${JSON.stringify(reply.value)}`)
      return reply.problem
    },
    remove: async () => {
      await operator.close()
      if (more.home === undefined) rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Waits until `probe` gives something that is not null or false. @throws when it has not after `seconds` */
export async function until<T>(
  what: string,
  probe: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  seconds = 120,
): Promise<T> {
  let last: unknown
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await delay(25)) {
    const found = await probe()
    if (found !== null && found !== undefined && found !== false) return found
    last = found
  }
  throw new Error(`not within ${seconds} s: ${what} (${String(last)})`)
}
