import { spawn } from 'node:child_process'
import { placeOf, removeMachine, runningMachine } from './machine.ts'
import { whyNoRig } from './programs.ts'
import { bootRig, packageInside, rigRoot } from './rig.ts'

/** The rig that people use by hand: other machines of the tests may run beside it. */
const name = 'aiops-1'
const net = 0
const place = placeOf(rigRoot(), name, net)
const say = (text: string): void => {
  process.stderr.write(`› ${text}\n`)
}

const tasks: Record<string, () => Promise<number>> = {
  up: async () => {
    if (runningMachine(place)) {
      say('aiops-1 is up already')
      return 0
    }
    const rig = await bootRig({ place: { name, net }, say })
    say(
      `aiops-1 is up at ${rig.ip}; ` +
        `its origin is ${rig.origin.url('<repository>')}, to which you push in ${rig.origin.dir}`,
    )
    say(
      `\`npm run rig -- shell\` opens it; ` +
        `${packageInside}/ops/install_openclaw_hostd.sh installs HQ there; ` +
        `\`npm run rig -- down\` takes it away`,
    )
    return 0
  },
  shell: async () => {
    const machine = runningMachine(place)
    if (!machine) {
      say('aiops-1 is not up; `npm run rig -- up` boots it')
      return 1
    }
    const child = spawn(
      'nsenter',
      [
        '-t',
        String(machine.leader),
        '-a',
        '--',
        'env',
        '-i',
        `TERM=${process.env['TERM'] ?? 'dumb'}`,
        'HOME=/root',
        'LANG=C.UTF-8',
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'bash',
        '-l',
      ],
      { stdio: 'inherit' },
    )
    return await new Promise((resolve, reject) => {
      child.once('exit', (code) => resolve(code ?? 1))
      child.once('error', reject)
    })
  },
  down: async () => {
    await removeMachine(place)
    say('aiops-1 is gone')
    return 0
  },
}

const task = tasks[process.argv[2] ?? '']
const why = whyNoRig()
if (!task) {
  say('usage: npm run rig -- up|shell|down')
  process.exitCode = 64
} else if (why !== null) {
  say(`No aiops-1 can be built here: it ${why}.`)
  process.exitCode = 1
} else {
  process.exitCode = await task()
}
