import { createServer, type Socket } from 'node:net'
import { loadavg, cpus } from 'node:os'
import { checksResult } from '#shared/result'
import { deployHost } from '../support/host.ts'
import { hq } from '../support/hostd.ts'

/**
 * How long does doctor take with one check hung? A deployed host of engine `process`; origin takes connections and
 * never answers. From `hq doctor` typed to its exit, and from the first check to the last. `node test/bench/doctor.ts
 * [runs]`
 */
process.env['OPENCLAW_HQ_INSTALL'] ??= process.cwd()
const runs = Number(process.argv[2] ?? 20)
const quantile = (values: readonly number[], q: number): string => {
  const at = Math.min(values.length - 1, Math.ceil(q * values.length) - 1)
  const ms = values.toSorted((a, b) => a - b)[at] ?? 0
  return `${(ms / 1000).toFixed(2)} s`
}

const at = await deployHost({ message: 'one' })
const sockets = new Set<Socket>()
const silent = createServer((socket) => {
  sockets.add(socket)
  socket.on('error', () => undefined)
})
try {
  const { result } = await at.deploy()
  if (result.overall !== 'PASS')
    throw new Error(`the deploy did not pass: ${result.step_failed ?? ''}`)
  const measure = async (title: string): Promise<void> => {
    const [whole, checks, slowest]: number[][] = [[], [], []]
    const failed = new Set<string>()
    for (let n = 0; n < runs; n += 1) {
      const started = performance.now()
      const { out } = await hq(at.host, ['doctor', '--json'], {
        ...at.host.env,
        OPENCLAW_HOSTD_URL: at.hostd.url,
      })
      whole?.push(performance.now() - started)
      const document = checksResult.parse(JSON.parse(out))
      checks?.push(Date.parse(document.finished_at) - Date.parse(document.started_at))
      slowest?.push(Math.max(...document.checks.map(({ duration_ms }) => duration_ms)))
      for (const { name, status } of document.checks) if (status === 'FAIL') failed.add(name)
    }
    const line = (values: readonly number[] = []): string =>
      `p50 ${quantile(values, 0.5)} · p95 ${quantile(values, 0.95)}`
    console.log(
      `${title}, ${runs} runs: all checks ${line(checks)}; slowest check ${line(slowest)}; hq ` +
        `doctor from start to exit ${line(whole)}; failed: ${[...failed].join(', ') || 'none'}`,
    )
  }
  console.log(
    `${cpus().length} processors, load ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')}`,
  )
  await measure('every check answers')
  await at.stopGit()
  await new Promise<void>((resolve, reject) => {
    silent.once('error', reject)
    silent.listen(at.ports.git, '127.0.0.1', resolve)
  })
  await measure('origin hangs')
  console.log(
    `load ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')}`,
  )
} finally {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await at.remove()
}
