import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { baseEnv } from '#ops/base/process/command'
import { ProgramOutput } from '#ops/core/pipeline/program-output'
import { runPipeline, type Step } from '#ops/core/pipeline/pipeline'
import { Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import { newRunId } from '#shared/ids'
import { resultDocument } from '#shared/result'

interface Facts {
  readonly count: number
}
let dir: string
let events: EventBody[]
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pipeline-'))
  events = []
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const run = (
  steps: Step<Facts>[],
  {
    signal = new AbortController().signal,
    emit = (event: EventBody): void => {
      events.push(event)
    },
    maxLogBytes = 1_000_000,
  } = {},
) =>
  runPipeline<Facts, ReturnType<typeof resultDocument.parse>>({
    action: 'probe',
    runId: newRunId(),
    steps,
    facts: { count: 0 },
    dir,
    resultFile: 'probe_result.json',
    emit,
    signal,
    maxLogBytes,
    document: (base, facts) => ({ ...base, git_head: null, git_tree: null, count: facts.count }),
  })
const onDisk = () =>
  resultDocument.parse(JSON.parse(readFileSync(join(dir, 'probe_result.json'), 'utf8')))
const step = (
  name: string,
  work: Step<Facts>['run'],
  more: Partial<Step<Facts>> = {},
): Step<Facts> => ({ name, timeLimitSeconds: 200, run: work, ...more })

describe('the step engine', () => {
  it('passes facts from step to step and writes PASS with one log per step', async () => {
    const document = await run([
      step('add', async ({ count }) => ({ facts: { count: count + 2 }, detail: 'two more' })),
      step('show', async ({ count }, { log }) => {
        log(`count is ${count}`)
        return undefined
      }),
    ])
    expect(document).toMatchObject({
      overall: 'PASS',
      step_failed: null,
      error_class: null,
      next_auto_fix: null,
      count: 2,
    })
    expect(onDisk()).toEqual(document)
    expect(document.steps.map(({ name, status, detail }) => [name, status, detail])).toEqual([
      ['add', 'passed', 'two more'],
      ['show', 'passed', null],
    ])
    expect(readFileSync(join(dir, 'show.log'), 'utf8')).toBe('count is 2\n')
    expect(existsSync(join(dir, '.reserve'))).toBe(false)
  })

  it('keeps the facts that a failing step noted, and never changes those a step was given', async () => {
    const given: Facts[] = []
    const document = await run([
      step('one', async (facts, { note }) => {
        given.push(facts)
        note({ count: 1 })
        note({ count: 2 })
        return undefined
      }),
      step('two', async (facts, { note }) => {
        given.push(facts)
        note({ count: facts.count + 5 })
        throw new Problem('console_build_failed', 'The build ended with 1.')
      }),
    ])
    expect(given).toEqual([{ count: 0 }, { count: 2 }])
    expect(document).toMatchObject({ overall: 'FAIL', step_failed: 'two', count: 7 })
    expect(onDisk()).toEqual(document)
  })

  it('ignores what a step notes after its end', async () => {
    let noteLate: (() => void) | undefined
    const document = await run([
      step('one', async (_facts, { note }) => {
        noteLate = () => note({ count: 9 })
        return { facts: { count: 1 } }
      }),
      step('two', async () => {
        noteLate?.()
        return undefined
      }),
    ])
    expect(document).toMatchObject({ overall: 'PASS', count: 1 })
  })

  it('stops at the first failure, names class and fix, and marks the rest not reached', async () => {
    const document = await run([
      step('one', async () => undefined),
      step('two', async () => {
        throw new Problem('console_build_failed', 'The build ended with 1.', {
          evidence: ['a.ts:3 broke'],
        })
      }),
      step('three', async () => {
        throw new Error('must not run')
      }),
    ])
    expect(document).toMatchObject({
      overall: 'FAIL',
      step_failed: 'two',
      error_class: 'console_build_failed',
      next_auto_fix: 'fix_and_ship',
    })
    expect(document.steps.map(({ status }) => status)).toEqual(['passed', 'failed', 'not_reached'])
    expect(readFileSync(join(dir, 'two.log'), 'utf8')).toContain('a.ts:3 broke')
    expect(onDisk()).toEqual(document)
  })

  it('turns a thrown bug into internal_error and still writes the document', async () => {
    expect(
      await run([
        step('one', async () => {
          throw new TypeError('x is undefined')
        }),
      ]),
    ).toMatchObject({ overall: 'FAIL', error_class: 'internal_error' })
    expect(onDisk().error_class).toBe('internal_error')
  })

  it('cuts the logs of a run whose output never ends, once, and still says why it failed', async () => {
    const talk = (context: Parameters<Step<Facts>['run']>[1]) =>
      context.run(
        [
          process.execPath,
          '-e',
          "for (let n = 0; n < 20000; n += 1) console.log('again and again')",
        ],
        { cwd: dir, env: baseEnv() },
      )
    await run(
      [
        step('first', async (_, context) => {
          await talk(context)
          return undefined
        }),
        step('second', async (_, context) => {
          await talk(context)
          throw new Problem('console_build_failed', 'The build ended with 1.', {
            evidence: ['a.ts:3 broke'],
          })
        }),
      ],
      { maxLogBytes: 10_000 },
    )
    const [first, second] = ['first', 'second'].map((name) =>
      readFileSync(join(dir, `${name}.log`), 'utf8'),
    ) as [string, string]
    expect(first.length).toBeLessThan(10_100)
    expect(first.split('\n').filter((line) => line.includes('cut here'))).toHaveLength(1)
    expect(second).toBe('a.ts:3 broke\nconsole_build_failed: The build ended with 1.\n')
  })

  it('H7 passes over the output of a program once its log is full, and says so once', async () => {
    const began = process.memoryUsage.rss()
    const program = `yes '${'x'.repeat(60)}' | head -c 300M; echo to stderr >&2; exit 3`
    await run([
      step('first', async (_facts, context) => {
        const { exitCode, stderrTail } = await context.run(['sh', '-c', program], {
          cwd: '/',
          env: baseEnv(),
        })
        context.log(`it ended with ${String(exitCode)}: ${stderrTail}`)
        return undefined
      }),
    ])
    const log = readFileSync(join(dir, 'first.log'), 'utf8')
    expect(log.length).toBeLessThan(1_000_200)
    expect(log).toMatch(/\(The log is cut here: [^\n]*\)\nit ended with 3: to stderr\n$/)
    const shown = events.flatMap((event) => (event.type === 'log' ? [event.text] : []))
    expect(shown.join('\n')).toBe(log.trimEnd())
    expect(process.memoryUsage.rss() - began).toBeLessThan(120 * 1024 * 1024)
  })

  it('H7 passes over it also where the start and the end of it are wanted', async () => {
    const output = new ProgramOutput()
    let taken = 0
    const program = `echo 'Error: the first one'; yes '${'x'.repeat(60)}' | head -n 1000000; echo the end`
    await run([
      step('first', async (_facts, context) => {
        await context.run(['sh', '-c', program], {
          cwd: '/',
          env: baseEnv(),
          onLine: (text) => {
            taken += 1
            output.take(text)
          },
          follows: output.wantsMore,
        })
        return undefined
      }),
    ])
    expect([output.firstError, output.lastLines.at(-1)]).toEqual([
      'Error: the first one',
      'the end',
    ])
    expect(taken).toBeLessThan(100_000)
  })

  it('skips with a reason and goes on', async () => {
    const document = await run([
      step(
        'one',
        async () => {
          throw new Error('must not run')
        },
        { skip: () => 'nothing to do here' },
      ),
      step('two', async () => undefined),
    ])
    expect(document.steps).toMatchObject([
      { status: 'skipped', detail: 'nothing to do here', log: null },
      { status: 'passed' },
    ])
    expect(document.overall).toBe('PASS')
  })

  it('ends a step at its time limit, with the command it runs', async () => {
    const document = await run([
      step(
        'slow',
        async (_facts, context) => {
          await context.run(['sleep', '600'], { cwd: '/', env: baseEnv() })
          return undefined
        },
        { timeLimitSeconds: 0.3 },
      ),
    ])
    expect(document).toMatchObject({
      overall: 'FAIL',
      step_failed: 'slow',
      error_class: 'step_timeout',
    })
  })

  it('cancels in the middle of a step and says so', async () => {
    const abort = new AbortController()
    const document = await run(
      [
        step('wait', async (_facts, context) => {
          await context.run(['sh', '-c', 'echo started; sleep 600'], {
            cwd: '/',
            env: baseEnv(),
            onLine: () => abort.abort(),
          })
          return undefined
        }),
        step('later', async () => undefined),
      ],
      { signal: abort.signal },
    )
    expect(document).toMatchObject({
      overall: 'FAIL',
      error_class: 'cancelled',
      next_auto_fix: 'start_again',
    })
    expect(document.steps.map(({ status }) => status)).toEqual(['cancelled', 'not_reached'])
  })

  it('fails a run whose events cannot be delivered, and still writes the document', async () => {
    const emit = (event: EventBody): void => {
      if (event.type === 'log')
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    const document = await run(
      [
        step('one', async (_facts, { log }) => {
          log('a line')
          return undefined
        }),
        step('two', async () => undefined),
      ],
      { emit },
    )
    expect(document).toMatchObject({
      overall: 'FAIL',
      step_failed: 'one',
      error_class: 'disk_full',
    })
    expect(onDisk().error_class).toBe('disk_full')
  })

  it('gives FAIL, not PASS, when the document itself cannot be written', async () => {
    const document = await run([
      step('one', async () => {
        mkdirSync(join(dir, 'probe_result.json'))
        writeFileSync(join(dir, 'probe_result.json', 'in-the-way'), '')
        return undefined
      }),
    ])
    expect(document).toMatchObject({ overall: 'FAIL', error_class: 'internal_error' })
    expect(events.at(-1)).toMatchObject({ type: 'run_finished', result: { overall: 'FAIL' } })
  })

  it('emits its events in order: start, each step, finish', async () => {
    await run([
      step('one', async (_facts, { log }) => {
        log('hello')
        return undefined
      }),
    ])
    expect(events.map(({ type }) => type)).toEqual([
      'run_started',
      'step_started',
      'log',
      'step_finished',
      'run_finished',
    ])
  })
})
