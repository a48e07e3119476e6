import type { Output, ProofRow, WitnessView } from '#shared/bridge'
import type { ProofProblem } from '#shared/proof'
import { ago, deployResult, idAt, shipResult } from './documents.ts'
import { fileContent, sealedFiles } from './evidence-documents.ts'
import { line, numbered, overview, scene, type Scene } from './scenes.ts'

type Found = NonNullable<ProofRow['laptop']>

const found = (over: Partial<Found> = {}): Found => ({
  state: 'verified',
  problems: [],
  files: 14,
  pruned: 0,
  counter: 41,
  key_id: 'a'.repeat(32),
  manifest_sha256: 'c'.repeat(64),
  created_at: ago(400),
  ...over,
})
const seen = (counter: number, secondsAgo: number, same: boolean | null = true) => ({
  counter,
  seen_at: ago(secondsAgo),
  pruned: 0,
  same,
})
const problem = (
  code: ProofProblem['code'],
  file: string | null,
  detail: string,
): ProofProblem => ({ code, run_id: null, file, detail })
const row = (
  kind: ProofRow['kind'],
  secondsAgo: number,
  over: Partial<ProofRow> = {},
): ProofRow => ({
  kind,
  run_id: idAt(
    secondsAgo,
    `${kind === 'ship' ? 'a1b2' : 'c02b'}${String(10_000 + (secondsAgo % 9000)).slice(1)}`,
  ),
  running: false,
  laptop: null,
  host: found(),
  witnessed: seen(41, secondsAgo - 30),
  ...over,
})

const rows = (): ProofRow[] => [
  row('doctor', 20, {
    running: true,
    host: found({
      state: 'unverified',
      problems: [problem('not_sealed', null, 'it has no manifest.json')],
      counter: null,
    }),
    witnessed: null,
  }),
  row('deploy', 400),
  row('doctor', 430, { host: found({ files: 1 }) }),
  {
    ...row('ship', 900, { laptop: found({ files: 21 }), host: found({ files: 21, pruned: 2 }) }),
    run_id: shipResult().run_id,
  },
  row('ship', 7_200, {
    laptop: found({
      state: 'unverified',
      problems: [problem('not_sealed', null, 'it has no manifest.json')],
      files: 4,
      counter: null,
      manifest_sha256: null,
    }),
    host: null,
    witnessed: null,
  }),
  row('deploy', 90_000, { host: found({ pruned: 3 }) }),
]
const witness = (over: Partial<WitnessView> = {}): WitnessView => ({
  id: 'aiops-1',
  place: 'host',
  title: 'aiops-1',
  key_id: 'a'.repeat(32),
  seen: { chain: '1'.repeat(16), counter: 1_204, head: '4be0c2f7'.repeat(8), seen_at: ago(400) },
  looked_at: ago(12),
  problem: null,
  open: [],
  shown_key_id: null,
  acknowledged: [],
  ...over,
})
const ships = (): WitnessView =>
  witness({
    id: 'ships of ai-ops-runner',
    place: 'laptop',
    title: 'Ships of ai-ops-runner',
    key_id: 'd'.repeat(32),
    seen: { chain: '2'.repeat(16), counter: 88, head: '9d02a51c'.repeat(8), seen_at: ago(900) },
  })
const page = (over: Partial<Output<'proofs.list'>> = {}): Output<'proofs.list'> => ({
  witnesses: [witness(), ships()],
  bundles: rows().filter(({ laptop }) => laptop?.state !== 'unverified'),
  next_cursor: null,
  host: { name: 'aiops-1', as_of: ago(1), detail: null },
  ...over,
})

const shipped = {
  ships: [
    {
      run_id: shipResult().run_id,
      active: false,
      step: null,
      result: shipResult({ scripted_review: true }),
    },
  ],
}
const answers = {
  'ship.list': shipped,
  'proofs.check': { ok: true },
  'proofs.acknowledge': { ok: true },
}

export const soundProofs = (): Scene =>
  scene({ ...answers, 'overview.get': overview(), 'proofs.list': page() })

/** One deploy was changed after it was sealed, and one ship was never sealed. */
export function brokenProofs(): Scene {
  const broken = row('deploy', 300, {
    host: found({
      state: 'broken',
      problems: [
        problem(
          'file_digest',
          'verify_production.json',
          'its content differs from what was sealed',
        ),
        problem('file_extra', 'notes.txt', 'it was not there when the bundle was sealed'),
      ],
    }),
  })
  return scene({
    ...answers,
    'proofs.list': page({ bundles: [broken, ...rows()], next_cursor: idAt(90_001, '00000000') }),
  })
}

/** The host shows another key and another chain. */
export function alarmedProofs(): Scene {
  const alarm = (
    code: WitnessView['open'][number]['code'],
    detail: string,
  ): WitnessView['open'][number] => ({
    code,
    run_id: null,
    counter: null,
    detail,
    raised_at: ago(3_600),
    last_seen_at: ago(12),
  })
  const open = [
    alarm(
      'key_changed',
      `aiops-1 shows key ${'b'.repeat(32)}; the one learned when it was enrolled is ${'a'.repeat(32)}`,
    ),
    alarm(
      'chain_replaced',
      `aiops-1 had chain ${'1'.repeat(16)} and now shows chain ${'3'.repeat(16)}`,
    ),
  ]
  const acknowledged = [
    {
      at: ago(864_000),
      reason: 'Restored from the backup of the night',
      alarms: [
        {
          code: 'chain_truncated' as const,
          detail: 'aiops-1 had 900 sealed bundles and now shows 871',
        },
      ],
    },
  ]
  return scene({
    ...answers,
    'proofs.list': page({
      witnesses: [witness({ open, shown_key_id: 'b'.repeat(32), acknowledged }), ships()],
      bundles: rows().map((each) =>
        each.kind === 'deploy' ? { ...each, witnessed: seen(40, 5_000, false) } : each,
      ),
    }),
    'overview.get': overview({
      proof_alarms: open.map(({ detail }) => ({ who: 'aiops-1', detail })),
    }),
  })
}

/** The host does not answer; one bundle is known only because it was witnessed. */
export function awayProofs(): Scene {
  const connection = {
    name: 'aiops-1',
    url: 'https://aiops-1.example.ts.net',
    state: 'offline' as const,
    detail: 'aiops-1 does not answer.',
    latency_ms: null,
    as_of: ago(252),
  }
  const unknown = row('doctor', 95_000, { host: null, witnessed: seen(12, 94_000, null) })
  return scene({
    ...answers,
    'overview.get': overview({ connection }),
    'proofs.list': page({
      witnesses: [witness({ problem: 'aiops-1 cannot be reached: it does not answer.' }), ships()],
      bundles: [...rows().slice(1, 4), unknown],
      host: {
        name: 'aiops-1',
        as_of: ago(252),
        detail: 'aiops-1 cannot be reached: it does not answer.',
      },
    }),
  })
}

/** The log of a build, in colour, with something to search for. */
export const buildLog = (lines: number): string =>
  Array.from({ length: lines }, (_, at) => {
    if (at % 50 === 18)
      return `#13 ${at / 10} npm \u001b[33mwarn\u001b[0m deprecated rimraf@3.0.2: old`
    return at % 9 === 4
      ? `#16 \u001b[32mDONE\u001b[0m ${(at / 9).toFixed(1)}s`
      : `#16 ${(at / 9).toFixed(3)} dist/assets/index-${at}.js \u001b[1m${(at * 3.7).toFixed(2)} kB\u001b[0m`
  }).join('\n') + '\n'

/** The proof of the last deploy: whole, or with one byte of its result changed. @param log of its build */
export function openedProof({ broken = false, log = buildLog(1817) } = {}): Scene & {
  path: string
  runId: string
} {
  const result = deployResult()
  const sealed = `${JSON.stringify(result, null, 2)}\n`
  const now = sealed.replace(/"unanswered_ms": \d/, '"unanswered_ms": 9')
  const run_id = result.run_id
  const place = { side: 'host', folder: 'deploy', run_id }
  const story = brokenProofs()
  const files = {
    'deploy_result.json': sealed,
    'dod_result.json': '{\n  "overall": "PASS"\n}\n',
    'verify_production.json': '{\n  "overall": "PASS"\n}\n',
    'console_build.log': log,
    'docker_compose.log': buildLog(40),
    'empty.log': '',
    'events.ndjson':
      numbered([
        { type: 'step_started', time: ago(9), step: 'git_sync' },
        line('\u001b[32mfetched\u001b[0m'),
      ])
        .map((event) => JSON.stringify(event))
        .join('\n') + '\n',
  }
  const there = { ...files, ...(broken ? { 'deploy_result.json': now } : {}) }
  return {
    ...scene({
      ...story.answers,
      'proofs.evidence': sealedFiles({
        runId: run_id,
        kind: 'deploy',
        files,
        ...(broken ? { now: { 'deploy_result.json': now } } : {}),
      }),
      ...Object.fromEntries(
        Object.entries(there).map(([path, text]) => [
          `proofs.file ${JSON.stringify({ ...place, path })}`,
          fileContent(text),
        ]),
      ),
    }),
    path: `/proofs/host/deploy/${run_id}`,
    runId: run_id,
  }
}

/** What Phase 0 collected, in the viewer of files. @param messages of the harvest */
export function collectedFiles(messages = 3000): Scene & { path: string } {
  const story = openedProof()
  const harvest = Array.from({ length: messages }, (_, at) => ({
    id: (0x18c0ffee00000 + at).toString(16),
    thread: (0x18c0ffee00000 + at).toString(16),
    date: new Date(Date.UTC(2026, 10, 29) - at * 3_600_000).toISOString(),
    from: `Grace Hopper <grace${at % 7}@example.test>`,
    to: 'team@example.test',
    subject:
      at === 1 ? '<img src=x onerror="window.hit=1"> \u202Egnp.exe' : `Report number ${at + 1}`,
    labels: at % 3 === 0 ? ['INBOX', 'Work'] : ['INBOX'],
    attachments: at % 5 === 0 ? [{ name: 'report.pdf', size: 182_340 }] : [],
  }))
  const items = Array.from({ length: 40 }, (_, at) => ({
    title: `Course ${at + 1}`,
    href: `/admin/products/${at + 1}`,
  }))
  const snapshot = {
    type: 'openclaw.kajabi_library_snapshot',
    schema_version: 1,
    run_id: story.runId,
    taken_at: ago(60),
    host: 'app.kajabi.com',
    complete: true,
    limit: null,
    items: 40,
    pages: [{ path: '/admin/products', title: 'Products', items }],
  }
  const place = { side: 'host', folder: 'deploy', run_id: story.runId }
  const files = {
    'gmail_harvest.jsonl': harvest.map((each) => `${JSON.stringify(each)}\n`).join(''),
    'kajabi_library_snapshot.json': `${JSON.stringify(snapshot, null, 2)}\n`,
  }
  for (const [path, text] of Object.entries(files))
    story.answers[`proofs.file ${JSON.stringify({ ...place, path })}`] = fileContent(text)
  return { ...story, path: `${story.path}/gmail_harvest.jsonl` }
}
