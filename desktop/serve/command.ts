import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import open from 'open'
import { Problem, toProblem } from '#shared/errors'
import { problemText } from '#shared/problem-text'
import { fileKeystore } from '../operator/settings/keystore.ts'
import { hqLog } from '../operator/base/log-file.ts'
import { createOperator } from '../operator/operator.ts'
import { wholeEnvironment } from '../operator/base/env.ts'
import { operatorPaths } from '../operator/base/paths.ts'
import { describeThrown, loadSecrets, redactCrashes, sayError } from '../operator/base/redaction.ts'
import { serve, type Served } from './server.ts'

/** `hq serve`: HQ in the browser, loopback. Runs until a signal ends it. */

const exitUsage = 64

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new InvalidArgumentError('a port number, 0 for a free one')
  return Number(text)
}

const program = new Command('hq serve')
  .description('HQ in the browser, on this machine only.')
  .exitOverride()
  .option('--port <number>', 'port on 127.0.0.1; 0 takes a free one', portNumber, 8790)
  .option('--open', 'open it in the browser')
  .option('--json', 'print one JSON line with the address when it is ready, nothing else')

const readyLine = ({ url, origin, secret }: Served): object => ({
  ready: true,
  url,
  origin,
  secret,
  pid: process.pid,
})

async function start(options: { port: number; open?: true; json?: true }): Promise<void> {
  const { home, version, page } = operatorPaths()
  if (!existsSync(join(page, 'index.html')))
    throw new Problem(
      'not_found',
      `The page of HQ is not built yet (${page}). Run \`npm run build\` in the folder of HQ. Nothing was started.`,
    )
  const log = hqLog(home)
  const operator = createOperator({
    mode: 'serve',
    home,
    version,
    keystore: fileKeystore(home),
    env: wholeEnvironment(),
    log,
  })
  try {
    const served = await serve({ operator, page, port: options.port, log })
    const end = (): void => {
      served
        .close()
        .then(() => operator.close())
        .catch((error: unknown) => {
          log(String(error))
          process.exitCode = 1
        })
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
    process.stdout.write(
      options.json ? `${JSON.stringify(readyLine(served))}\n` : `HQ: ${served.url}\n`,
    )
    if (options.open) await open(served.openOnce())
  } catch (error) {
    await operator.close()
    throw error
  }
}

redactCrashes()
try {
  loadSecrets()
  program.parse()
  await start(program.opts())
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitUsage
  } else {
    const problem = toProblem(error)
    sayError(problemText(problem))
    if (problem.errorClass === 'internal_error' && problem.cause instanceof Error)
      sayError(describeThrown(problem.cause))
    process.exitCode = problem.errorClass === 'config_invalid' ? exitUsage : 1
  }
}
