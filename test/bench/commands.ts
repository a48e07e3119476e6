import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg } from 'node:os'
import { readdirSync } from 'node:fs'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { endTree, startedAt } from '#ops/base/process/process-tree'

/**
 * What does every command of HQ cost beside the program itself? `true` by `runCommand` and by a bare spawn; and the
 * look for what a command left behind, with the processes that are there and with 200 more.
 * `node test/bench/commands.ts [runs]`
 */
const runs = Number(process.argv[2] ?? 200)
const others = 200
const env = baseEnv()

interface Cost {
  readonly wall: number
  readonly cpu: number
}
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

async function cost(work: () => unknown): Promise<Cost> {
  const [wall, cpu]: [number[], number[]] = [[], []]
  for (let n = 0; n < runs; n += 1) {
    const [from, used] = [performance.now(), process.cpuUsage()]
    await work()
    const { user, system } = process.cpuUsage(used)
    wall.push(performance.now() - from)
    cpu.push((user + system) / 1000)
  }
  return { wall: median(wall), cpu: median(cpu) }
}

const bare = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('true', [], {
      cwd: '/',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    child.once('error', reject).once('close', () => resolve())
  })

async function measure(): Promise<Cost> {
  const there = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length
  const [spawned, run] = [
    await cost(bare),
    await cost(() => runCommand(['true'], { cwd: '/', env, timeLimitSeconds: 30 })),
  ]
  const youngest = spawn('true', { stdio: 'ignore' })
  const look = { marker: 'OPENCLAW_COMMAND=none', since: startedAt(youngest.pid ?? 0) }
  await once(youngest, 'exit')
  const looked = await cost(() => endTree(look))
  const line = ({ wall, cpu }: Cost): string =>
    `${wall.toFixed(2)} ms (${cpu.toFixed(2)} ms of processor)`
  console.log(
    `${there} processes, median of ${runs}: bare spawn ${line(spawned)} · runCommand ` +
      `${line(run)} · the look ${line(looked)}`,
  )
  return { wall: run.wall, cpu: looked.cpu }
}

console.log(
  `${cpus().length} processors, load ${loadavg()
    .map((each) => each.toFixed(1))
    .join(' ')}`,
)
const alone = await measure()
// It waits for its own when they are ended, so that no zombie of them is counted by the next run.
const crowd = spawn(
  'sh',
  [
    '-c',
    `trap : TERM; n=0; while [ $n -lt ${others} ]; do sleep 600 & n=$((n + 1)); done; echo ready; wait; wait`,
  ],
  { stdio: ['ignore', 'pipe', 'ignore'], detached: true },
)
try {
  await new Promise((resolve) => {
    crowd.stdout.once('data', resolve)
  })
  const crowded = await measure()
  console.log(
    `with ${others} more: a command takes ${(crowded.wall / alone.wall).toFixed(2)} times as ` +
      `long, the look ${(crowded.cpu / alone.cpu).toFixed(2)} times the processor`,
  )
} finally {
  if (crowd.pid !== undefined) await endTree({ pgid: crowd.pid })
}
