import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { toProblem, errorRule } from '#shared/errors'
import { commitId, runId } from '#shared/ids'
import { remediations } from '#shared/remediations'
import { keyId } from '#shared/signature'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { takeGivenKey } from '#ops/core/trust/inherited-ship-key'
import { describeThrown, redactCrashes, sayError } from '#ops/base/redact/crash-output'
import { loadSecrets } from '#ops/base/redact/known-secrets'
import { installRoot } from '#ops/base/process/program'
import { releaseVersion } from '#ops/core/host-state/releases'

redactCrashes()
loadSecrets(process.env)

/** A command module: `run` does the work and says the exit code. Loaded only when it is asked for. */
interface CommandModule<O> {
  run(options: O): Promise<number>
}

const program = new Command('hq')
  .description('OpenClaw HQ: gated ship, verified deploy, proof.')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true })
  .option('-V, --version', 'print the version, on a host with the commit it was built from')
  .on('option:version', () => {
    console.log(releaseVersion(installRoot()))
    throw new CommanderError(0, 'commander.version', 'version')
  })

const does =
  <O>(load: () => Promise<CommandModule<O>>) =>
  async (options: O): Promise<void> => {
    process.exitCode = await (await load()).run(options)
  }

const repairsOf = (text: string): number => {
  if (!/^(?:[1-9]|10)$/.test(text)) throw new InvalidArgumentError('a number from 1 to 10')
  return Number(text)
}

/** An option that only one form of text can be. @param what it is, for the person who typed it */
const form =
  (schema: { safeParse(text: unknown): { success: boolean } }, what: string) =>
  (text: string): string => {
    if (!schema.safeParse(text).success) throw new InvalidArgumentError(what)
    return text
  }

/** Asked for by a timer. */
const unattended = (): Option =>
  new Option('--unattended', 'end with 0 whatever was found (internal)').hideHelp()

const json = ['--json', 'print the result document, alone, on standard output'] as const

program
  .command('up')
  .description('the local demo: sandbox origin, sample app, hostd, runner, HQ')
  .option('--root <dir>', 'folder of the sandbox', '.hq')
  .option('--no-open', 'do not open a browser or window')
  .option(
    '--scripted-review',
    'let a loopback Responses API answer the real Codex CLI; labelled "scripted (demo)"',
  )
  .action(does(() => import('#ops/cli/demo/up')))
program
  .command('ship')
  .description('test, review, check and push one commit')
  .option('--repo <dir>', 'repository to ship', process.cwd())
  .option('--run-id <id>', 'use this run id (given by HQ)')
  .option(...json)
  .option(
    '--until-green <n>',
    'have failing tests and refused reviews repaired, at most n times, by the implementer of the settings',
    repairsOf,
  )
  .addOption(
    new Option(
      '--init',
      'install the pre-push hook in the repository; a second time changes nothing',
    ).conflicts(['json', 'runId', 'untilGreen']),
  )
  .action(does(() => import('#ops/cli/commands/ship')))
program
  .command('check-push')
  .description('may these refs be pushed? called by the pre-push hook')
  .argument('[remote...]', 'name and address, as git gives them')
  .action(async () => {
    process.exitCode = await (await import('#ops/cli/commands/check-push')).run()
  })
program
  .command('deploy')
  .description('deploy origin/main and verify it, until green')
  .option('--once', 'one deploy pipeline, no retry')
  .option('--unpin', 'deploy origin/main although a rollback went back from it')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/deploy')))
program
  .command('rollback')
  .description(
    'go back to the last green commit before the one that serves, by the same pipeline; it stays pinned until the next ship',
  )
  .option(
    '--to <sha>',
    'full id of a commit that was green and whose build is kept',
    form(commitId, 'the full id of a commit'),
  )
  .addOption(new Option('--once', 'one attempt (internal)').hideHelp())
  .option(...json)
  .action(does(() => import('#ops/cli/commands/rollback')))
program
  .command('verify')
  .description('verify what runs')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/verify')))
program
  .command('dod')
  .description('the Definition of Done')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/dod')))
program
  .command('green-check')
  .description('is the last deploy still green?')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/green-check')))
program
  .command('assert-pull-only')
  .description('prove that this host can fetch and cannot push')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/assert-pull-only')))
program
  .command('update-project-state')
  .description('put back a lost project state from the proof of the last green deploy')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/update-project-state')))
program
  .command('doctor')
  .description('check the host')
  .option(...json)
  .addOption(unattended())
  .action(does(() => import('#ops/cli/commands/doctor')))
program
  .command('guard')
  .description('one pass of safe, named remediations')
  .option(...json)
  .addOption(unattended())
  .action(does(() => import('#ops/cli/commands/guard')))
program
  .command('guard-log')
  .description('the last passes of guard')
  .option(
    '--lines <n>',
    'how many',
    form(z.string().regex(/^(?:[1-9]\d?|[1-4]\d\d|500)$/), 'a whole number from 1 to 500'),
    '50',
  )
  .option(...json)
  .action(does(() => import('#ops/cli/commands/guard-log')))
program
  .command('port-audit')
  .description('what can be reached from outside?')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/port-audit')))
program
  .command('connectors')
  .description('are Kajabi and Gmail ready? asks both, live')
  .addOption(new Option('--look', 'in a process of its own (internal)').hideHelp())
  .option(...json)
  .action(does(() => import('#ops/cli/commands/connectors')))
program
  .command('phase0')
  .description('Phase 0: both connectors ready, live, with proof')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/phase0')))
program
  .command('selftest')
  .description('plant a violation for every guard and see each refused')
  .option('--junit <path>', 'also write a JUnit report, for a ship')
  .addOption(new Option('--sockets', 'in a network namespace (internal)').hideHelp())
  .option(...json)
  .action(does(() => import('#ops/cli/commands/selftest')))
program
  .command('maintenance')
  .description('show or set maintenance mode')
  .argument('[set]', 'status, on or off', 'status')
  .option(...json)
  .action(async (set: string, options: object) => {
    process.exitCode = await (
      await import('#ops/cli/commands/maintenance')
    ).run({ ...options, set })
  })
const next = program.command('next').description('the one next action of docs/OPENCLAW_NEXT.md')
next
  .command('show', { isDefault: true })
  .option('--repo <dir>', 'repository', process.cwd())
  .action(does(async () => ({ run: (await import('#ops/cli/commands/next')).show })))
next
  .command('set')
  .argument('<text>')
  .option('--repo <dir>', 'repository', process.cwd())
  .option('--commit', 'as a commit of its own, so that the next ship holds it')
  .action(async (text: string, options: { repo: string; commit?: boolean }) => {
    process.exitCode = await (await import('#ops/cli/commands/next')).set({ ...options, text })
  })
program
  .command('runs')
  .description('runs of the host; with --follow, the live log of one')
  .option(
    '--follow <run_id>',
    'follow this run to its end',
    form(runId, 'the id of a run, as `hq runs` lists them'),
  )
  .option(...json)
  .action(does(() => import('#ops/cli/commands/runs')))
program
  .command('reindex')
  .description('rebuild the index of runs from their folders')
  .option(...json)
  .action(does(() => import('#ops/cli/commands/reindex')))
const install = program.command('install').description('make this machine a host')
install
  .command('hostd')
  .description('hostd, the runner and the timers as services; a second run changes nothing')
  .option('--root <dir>', 'the clone that is deployed (default: OPENCLAW_ROOT)')
  .option(
    '--origin <url>',
    'clone this address, which the host may only read, when there is no clone yet',
  )
  .option('--uninstall', 'take the services away; data stays')
  .action(does(() => import('#ops/cli/commands/install')))
const proof = program.command('proof').description('the proof bundles of this machine')
proof
  .command('verify')
  .description('is a proof what was sealed, and is its chain whole?')
  .argument('<path-or-run-id>', 'folder of a bundle, artifacts folder, or run id')
  .option(...json)
  .action(async (target: string, options: { json?: boolean }) => {
    process.exitCode = await (await import('#ops/cli/commands/proof')).run({ ...options, target })
  })
program
  .command('trust-key')
  .description('believe the verdicts and ships of one more laptop, or of one less')
  .option('--public-key <pem>', 'its public key')
  .option('--label <name>', 'names it for people')
  .addOption(
    new Option('--remove <id>', 'believe the key with this id no longer')
      .argParser(form(keyId, 'the id of a key, 32 digits'))
      .conflicts(['publicKey', 'label']),
  )
  .option(...json)
  .action(does(() => import('#ops/cli/commands/trust-key')))
program
  .command('runner')
  .description('one run (internal)')
  .action(does(() => import('#ops/cli/commands/runner')))
program.command('hostd').description('the daemon (handled by the launcher)')
program.command('serve').description('HQ in the browser, loopback (handled by the launcher)')

try {
  takeGivenKey(process.env)
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitUsage
  } else {
    const problem = toProblem(error)
    sayError(`${problem.errorClass}: ${problem.message}`)
    for (const line of problem.evidence) sayError(`  ${line}`)
    sayError(`Next: ${remediations[errorRule(problem.errorClass).next_auto_fix].title}`)
    if (problem.errorClass === 'internal_error' && problem.cause instanceof Error)
      sayError(describeThrown(problem.cause))
    process.exitCode = problem.errorClass === 'config_invalid' ? exitUsage : 1
  }
}
