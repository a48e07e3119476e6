import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { nodeProgram } from '#ops/base/process/program'
import { describeThrown } from '#ops/base/redact/crash-output'
import { redactFolder } from '#ops/base/redact/redact-files'
import { redact } from '#ops/base/redact/redaction'
import { RunLog } from '#ops/core/pipeline/run-log'
import { logToStderr } from '../../hostd/log/log.ts'
import { allFiles } from './hostd.ts'

const time = '2026-11-23T00:00:00.000Z'

/** A child that writes each text as a line of its own, cut into pieces of 1 to 9 bytes, to both outputs in turn. */
const program = `
import { readFileSync, writeSync } from 'node:fs'
for (const [at, text] of JSON.parse(readFileSync(0, 'utf8')).entries()) {
  const bytes = Buffer.from('line ' + at + ' ' + text + ' end\\n')
  for (let from = 0, turn = at; from < bytes.length; turn += 1) {
    const to = from + 1 + turn % 9
    writeSync(1 + at % 2, bytes.subarray(from, to))
    from = to
  }
}`

/**
 * Sends texts through everything of HQ that keeps or shows text.
 * @returns by sink, what came out
 */
export async function throughSinks(texts: readonly string[]): Promise<Record<string, string>> {
  const dir = mkdtempSync(join(tmpdir(), 'secret-sinks-'))
  try {
    const file = join(dir, 'child.mjs')
    writeFileSync(file, program)
    const bundle = join(dir, 'pipeline')
    const emitted: unknown[] = []
    // A step that prints, logs, and fails with secrets in message, evidence and cause.
    const document = await runPipeline<object, never>({
      action: 'ship',
      runId: newRunId(),
      facts: {},
      dir: bundle,
      resultFile: 'ship_result.json',
      emit: (event) => {
        emitted.push(event)
      },
      signal: new AbortController().signal,
      document: (base) => ({ ...base, git_head: null, git_tree: null, said: texts }) as never,
      steps: [
        {
          name: 'step',
          timeLimitSeconds: 300,
          run: async (_facts, context) => {
            const ended = await context.run([nodeProgram(), file], {
              cwd: dir,
              env: baseEnv(),
              input: JSON.stringify(texts),
            })
            for (const text of texts) context.log(`logged ${text} end`)
            throw new Problem('tests_failed', `first ${texts.join(' then ')}`, {
              evidence: [...texts, ended.stderrTail],
              cause: new Error(texts[0] ?? ''),
            })
          },
        },
      ],
    })
    const ended = await runCommand([nodeProgram(), file], {
      cwd: dir,
      env: baseEnv(),
      timeLimitSeconds: 300,
      input: JSON.stringify(texts),
    })

    const log = new RunLog(join(dir, 'log.ndjson'))
    for (const text of texts)
      log.append({ type: 'log', time, step: null, stream: 'hq', text: `a ${text} b` })
    for (const text of texts)
      log.append({
        type: 'step_finished',
        time,
        step: 'x',
        status: 'failed',
        duration_ms: 1,
        detail: text,
        error_class: null,
      })
    log.close()

    const planted = join(dir, 'planted')
    writeFileSync(join(dir, 'planted.txt'), texts.join('\n'))
    writeFileSync(join(dir, 'planted.json'), JSON.stringify(texts))
    rmSync(file)
    await redactFolder(dir, (name) => (name.startsWith('planted') ? redact : null))

    const said: string[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text: string) => said.push(text) > 0
    try {
      logToStderr('internal_error', { why: texts.join(' '), stack: texts })
    } finally {
      process.stderr.write = write
    }
    const below = (path: string): string =>
      allFiles(path)
        .map(({ text }) => text)
        .join('\n')
    return {
      'artifacts of a step': below(bundle),
      'events of a step': JSON.stringify(emitted),
      'result document': JSON.stringify(document),
      'end of stderr': ended.stderrTail,
      'run log': readFileSync(join(dir, 'log.ndjson'), 'latin1'),
      'sealed folder': ['txt', 'json']
        .map((kind) => readFileSync(`${planted}.${kind}`, 'latin1'))
        .join('\n'),
      'log of hostd': said.join(''),
      crash: describeThrown(Object.assign(new Error(texts.join(' ')), { evidence: texts })),
      address: redact.text(
        texts
          .map((text) => `https://u:${encodeURIComponent(text)}@h.invalid/?x=${text}`)
          .join('\n'),
      ),
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
