import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { request as httpRequest, type ClientRequest } from 'node:http'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { runLogFile } from '#ops/host/runner/run-files'
import { baseEnv } from '#ops/base/process/command'
import { readRegularFile } from '#ops/base/files/regular-file'
import { ofProgram } from '#ops/core/pipeline/events-out'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { ProgramOutput } from '#ops/core/pipeline/program-output'
import { RunLog } from '#ops/core/pipeline/run-log'
import { readBundleFiles } from '#ops/core/proof/bundle-files'
import { checkGmailImap } from '#ops/features/connectors/gmail/check-imap'
import { connectorSecrets, secretsFolder } from '#ops/base/paths/connector-paths'
import { hostSettings } from '#shared/config'
import { toProblem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { imapPeer } from '../support/connector-peers.ts'
import { exchange, statusesOf } from '../support/http-contract.ts'
import { scriptedInstall, startHostd, testHost, until, type TestHostd } from '../support/hostd.ts'

/**
 * What hostd and its friends do under pressure: cases H1 to H9, one line of figures each.
 * `node test/bench/pressure.ts [H1 H2 …]`
 */
const wanted = new Set(process.argv.slice(2))
const logLines = 200_000
const token = 'x-openclaw-admin-token'

const dir = mkdtempSync(join(tmpdir(), 'openclaw-pressure-'))
const scripted = scriptedInstall(dir, {
  doctor: "import { finish } from './kit.mjs'\nfinish('PASS')",
  guard: `import { log, finish } from './kit.mjs'
    for (let n = 0; n < ${logLines}; n += 1) log('line ' + n + ' ' + '.'.repeat(n % 150))
    finish('PASS')`,
})
process.env['OPENCLAW_HQ_INSTALL'] ??= process.cwd()
const host = testHost({ install: scripted.install })
const hostd = await startHostd(host)

const seconds = (from: number): string => `${((performance.now() - from) / 1000).toFixed(2)} s`
const quantile = (values: readonly number[], q: number): string =>
  `${(values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0).toFixed(1)} ms`
const megabytes = (of: TestHostd): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${of.pid}/status`, 'utf8'))?.[1]) / 1024

/** Samples something while `work` runs. @returns its highest value */
async function peakOf(sample: () => number, work: () => Promise<unknown>): Promise<number> {
  let peak = sample()
  const timer = setInterval(() => {
    peak = Math.max(peak, sample())
  }, 20)
  await work()
  clearInterval(timer)
  return Math.max(peak, sample())
}

/** Requests `/health` again and again on a thread of its own, while `work` runs. @returns the time of each answer */
async function healthDuring(work: () => Promise<unknown>): Promise<number[]> {
  const code = `const { parentPort, workerData } = require('node:worker_threads')
    const { get, Agent } = require('node:http')
    const agent = new Agent({ keepAlive: true })
    const times = []
    const once = () => {
      const from = performance.now()
      get(workerData.url, { agent }, (answer) => answer.resume().on('end', () => {
        times.push(performance.now() - from)
        if (Atomics.load(workerData.over, 0)) return parentPort.postMessage(times)
        setTimeout(once, 5)
      }))
    }
    once()`
  const over = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(code, { eval: true, workerData: { url: `${hostd.url}/health`, over } })
  await delay(500)
  await work()
  const times = new Promise<number[]>((resolve) => worker.once('message', resolve))
  Atomics.store(over, 0, 1)
  const measured = await times
  await worker.terminate()
  return measured
}

interface Reading {
  readonly request: ClientRequest
  readonly status: Promise<number>
}
function readEvents(
  id: string,
  onData?: (chunk: Buffer) => void,
): Reading & { end: Promise<void> } {
  const ended = Promise.withResolvers<void>()
  const status = Promise.withResolvers<number>()
  const request = httpRequest(
    `${hostd.url}/api/runs/${id}/events`,
    { agent: false, headers: { [token]: host.token } },
    (answer) => {
      status.resolve(answer.statusCode ?? 0)
      if (onData === undefined) answer.pause()
      else answer.on('data', onData)
      answer.on('end', ended.resolve)
    },
  )
  request.on('error', () => status.resolve(0))
  request.end()
  return { request, status: status.promise, end: ended.promise }
}

/** A run that has ended, with a log of 200,000 lines. */
async function longLog(): Promise<string> {
  const { run_id: id } = await hostd.client.exec('doctor')
  await until('the run to end', async () => (await hostd.client.run(id)).status === 'passed')
  const file = openSync(runLogFile(host.paths, id), 'w')
  for (let seq = 1; seq <= logLines; seq += 1) {
    const text = `line ${seq} ${'.'.repeat(seq % 150)}`
    const event = {
      seq,
      time: new Date().toISOString(),
      type: 'log',
      step: null,
      stream: 'hq',
      text,
    }
    writeSync(file, `${JSON.stringify(event)}\n`)
  }
  closeSync(file)
  return id
}

/** @returns how long a program takes whose output nobody looks at, milliseconds */
function intoCat(argv: readonly string[]): number {
  const from = performance.now()
  execFileSync('sh', ['-c', '"$@" | cat > /dev/null', 'sh', ...argv], { env: baseEnv() })
  return performance.now() - from
}

/** @returns how long it takes as the program of a step of a ship, milliseconds */
async function inStep(argv: readonly string[]): Promise<number> {
  let taken = 0
  const proof = join(dir, newRunId())
  const log = new RunLog(join(proof, 'events.ndjson'))
  await runPipeline({
    action: 'probe',
    runId: newRunId(),
    steps: [
      {
        name: 'tests',
        timeLimitSeconds: 600,
        run: async (_facts, context) => {
          // As a suite of tests is run.
          const { take: onLine, wantsMore: follows } = new ProgramOutput()
          const options = { cwd: '/', env: baseEnv(), onLine, follows }
          taken = (await context.run(argv, options)).durationMs
          return {}
        },
      },
    ],
    facts: {},
    dir: proof,
    resultFile: 'result.json',
    emit: (event) => log.append(event, { redacted: ofProgram(event) }),
    signal: new AbortController().signal,
    document: (base) => ({ ...base, git_head: null, git_tree: null }),
  })
  log.close()
  rmSync(proof, { recursive: true })
  return taken
}

const target = { host: '127.0.0.1', port: hostd.port }
const own = `Host: 127.0.0.1:${hostd.port}\r\n`

const parts: Record<string, () => Promise<string>> = {
  H1: async () => {
    const held = async (what: string, bytes: string, every = ''): Promise<string> => {
      const from = performance.now()
      const said = await exchange(target, bytes, { silentMs: 400_000, every })
      return `${what} ${seconds(from)} (${statusesOf(said).join(' ')})`
    }
    const post = `POST /api/exec HTTP/1.1\r\n${own}${token}: ${host.token}\r\ncontent-type: application/json\r\n`
    const all = await Promise.all([
      held('silence', ''),
      held('header that never ends', 'GET /health HTTP/1.1\r\n', 'x: y\r\n'),
      held('body that drips', `${post}content-length: 5000\r\n\r\n`, ' '),
      held('chunks that drip', `${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
    ])
    return all.join(' · ')
  },
  H2: async () => {
    const id = await longLog()
    const count = new Map<number, number>()
    let peak = 0
    const before = megabytes(hostd)
    const times = await healthDuring(async () => {
      const open: Reading[] = []
      peak = await peakOf(
        () => megabytes(hostd),
        async () => {
          for (let n = 0; n < 500; n += 1) {
            const reading = readEvents(id)
            open.push(reading)
            void reading.status.then((status) => count.set(status, (count.get(status) ?? 0) + 1))
            if (n % 25 === 24) await delay(5)
          }
          await delay(10_000)
        },
      )
      for (const { request } of open) request.destroy()
    })
    const statuses = [...count].map(([status, times]) => `${times} × ${status}`).join(', ')
    return (
      `500 unread streams: ${statuses}; /health p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)}, ` +
      `max ${quantile(times, 0.9999)} of ${times.length}; +${Math.round(peak - before)} MB`
    )
  },
  H3: async () => {
    const id = await longLog()
    const before = megabytes(hostd)
    let bytes = 0
    const from = performance.now()
    const peak = await peakOf(
      () => megabytes(hostd),
      async () => {
        await readEvents(id, (chunk) => {
          bytes += chunk.length
        }).end
      },
    )
    return `${logLines} lines, ${Math.round(bytes / 1e6)} MB, in ${seconds(from)}; +${Math.round(peak - before)} MB`
  },
  H4: async () => {
    const peer = await imapPeer({ user: 'a', pass: 'b', flood: { at: 'greeting', text: 'x' } })
    const folder = connectorSecrets(host.paths)
    mkdirSync(folder, { mode: 0o750 })
    writeFileSync(
      join(folder, 'gmail_imap.json'),
      JSON.stringify({ GMAIL_USER: 'ada@example.test', GMAIL_APP_PASSWORD: 'abcdefghijklmnop' }),
      { mode: 0o640 },
    )
    const settings = hostSettings.parse({
      gmail: {
        mode: 'imap',
        imap_host: '127.0.0.1',
        imap_port: peer.port,
        imap_ca_file: peer.caFile,
        timeout_seconds: 30,
      },
    }).gmail
    const locate = (ref: string): string => join(secretsFolder(host.paths), ref)
    const exchange = () => Promise.reject(new Error('IMAP renews nothing'))
    const request = { settings, locate, exchange, rules: { strict: false } }
    const from = performance.now()
    const before = process.memoryUsage.rss()
    let refused = ''
    const peak = await peakOf(
      () => process.memoryUsage.rss(),
      () =>
        checkGmailImap({ ...request, signal: AbortSignal.timeout(30_000) }).catch(
          (error: unknown) => {
            refused = toProblem(error).errorClass
          },
        ),
    )
    await peer.close()
    return `an IMAP line without end: ${refused} after ${seconds(from)}; +${Math.round((peak - before) / 1e6)} MB`
  },
  H6: async () => {
    const answers: string[] = []
    for (const [what, path, bad, good] of [
      ['file 0644', host.paths.tokenFile, 0o644, 0o640],
      ['folder 0777', dirname(host.paths.tokenFile), 0o777, 0o755],
    ] as const) {
      chmodSync(path, bad)
      answers.push(`${what}: ${(await hostd.request('/api/runs')).status}`)
      chmodSync(path, good)
    }
    return `${answers.join(', ')}; as installed: ${(await hostd.request('/api/runs')).status}`
  },
  H5: async () => {
    const pipe = join(dir, 'pipe')
    execFileSync('mkfifo', [pipe])
    const from = performance.now()
    return `a pipe as the answer: ${String(readRegularFile(pipe, 1000))} after ${seconds(from)}`
  },
  H7: async () => {
    const line = 'a line of some sixty characters, as a program prints them'
    const flood = ['sh', '-c', `yes '${line}' | head -c 1G`]
    const alone = intoCat(flood)
    let within = 0
    const before = process.memoryUsage.rss()
    const peak = await peakOf(
      () => process.memoryUsage.rss(),
      async () => {
        within = await inStep(flood)
      },
    )
    const memory = Math.round((peak - before) / 1e6)
    // By turns, so that what else the machine does slows both.
    const program = `for (let n = 0; n < 1e6; n += 1) console.log('${line}')`
    const ratios: number[] = []
    for (let n = 0; n < 5; n += 1) {
      const base = intoCat([process.execPath, '-e', program])
      ratios.push((await inStep([process.execPath, '-e', program])) / base)
    }
    const [least, median, most] = [0, 2, 4].map((n) => {
      const slower = ((ratios.toSorted((a, b) => a - b)[n] ?? 1) - 1) * 100
      return `${slower.toFixed(1)} %`
    })
    return (
      `1 GB in a step: ${(within / 1000).toFixed(2)} s (into cat: ${(alone / 1000).toFixed(2)} s); +${memory} MB; ` +
      `a program that prints 1,000,000 lines takes ${median} longer than into cat (${least} to ${most})`
    )
  },
  H8: async () => {
    const bundle = join(dir, 'bundle')
    mkdirSync(bundle)
    writeFileSync(join(bundle, 'core.dump'), '')
    truncateSync(join(bundle, 'core.dump'), 20 * 1024 ** 3)
    const from = performance.now()
    await readBundleFiles(bundle, { sizes: new Map([['core.dump', 1]]) })
    return `20 GB of the wrong size refused after ${seconds(from)}`
  },
  H9: async () => {
    const { run_id: id } = await hostd.client.exec('guard')
    let [rest, lines, behind] = ['', 0, 0]
    const from = performance.now()
    const times = await healthDuring(async () => {
      await readEvents(id, (chunk) => {
        const messages = (rest + chunk.toString()).split('\n\n')
        rest = messages.pop() ?? ''
        lines += messages.length
        const time = /"time":"([^"]+)"/.exec(messages.at(-1) ?? '')?.[1]
        if (time !== undefined) behind = Math.max(behind, Date.now() - Date.parse(time))
      }).end
    })
    return (
      `${lines} lines while they are printed, ${seconds(from)}; at most ${behind} ms behind; ` +
      `/health p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)}`
    )
  },
}

const machine = (): string =>
  `${cpus().length} processors, load ${loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')}`
console.log(machine())
for (const [name, measure] of Object.entries(parts))
  if (wanted.size === 0 || wanted.has(name)) console.log(`${name}: ${await measure()}`)
console.log(machine())
await hostd.kill()
await host.remove()
rmSync(dir, { recursive: true, force: true })
